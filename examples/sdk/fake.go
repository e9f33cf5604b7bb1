package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// fakeLambda answers as AWS Lambda does, for one function: greet.
func fakeLambda() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/greet/invocations", func(w http.ResponseWriter, r *http.Request) {
		var event struct {
			Who string `json:"who"`
		}
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil || event.Who == "" {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			fmt.Fprint(w, `{"errorMessage": "whom?"}`)
			return
		}
		fmt.Fprintf(w, "%q", "hello "+event.Who)
	})
	return mux
}

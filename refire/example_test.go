package refire_test

import (
	"fmt"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func ExampleMark() {
	fmt.Println(refire.Mark("/search?q=a%20b#top"))
	// Output: /search?q=a%20b&retry=True#top
}

// A line written by a stranger leads nowhere but to the base.
func ExamplePlan() {
	base, err := refire.ParseOrigin("http://127.0.0.1:8080")
	if err != nil {
		panic(err)
	}
	methods, err := refire.ParseMethods("GET,HEAD")
	if err != nil {
		panic(err)
	}
	plan := refire.Plan{Methods: methods, Routes: refire.Routes{Base: base}, CanSend: refire.CanSendHTTP}
	for _, target := range []string{"/cart?id=7", "//elsewhere.example/x", "http://elsewhere.example/x"} {
		request, why := plan.Decide(&accesslog.Entry{Method: "GET", Target: target, Status: 503})
		if why != "" {
			fmt.Println("refused:", why)
			continue
		}
		fmt.Println(request.URL())
	}
	// Output:
	// http://127.0.0.1:8080/cart?id=7&retry=True
	// http://127.0.0.1:8080//elsewhere.example/x?retry=True
	// refused: names another host (not --base, --alias or --allow-host)
}

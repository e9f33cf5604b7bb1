package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/procpool"
)

func TestMain(m *testing.M) {
	procpool.Main()
	os.Exit(m.Run())
}

// What was bound arrives at Lambda under its names, signed, once for each call.
func TestSdk_whatArrives(t *testing.T) {
	var mu sync.Mutex
	var arrived []string
	fake := fakeLambda()
	var out strings.Builder
	err := run(&out, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		key, _, _ := strings.Cut(r.Header.Get("Authorization"), "/")
		mu.Lock()
		arrived = append(arrived, strings.Join([]string{r.URL.Path, r.Header.Get("X-Amz-Invocation-Type"), r.Header.Get("X-Amz-Log-Type"), key, string(body)}, " "))
		mu.Unlock()
		fake.ServeHTTP(w, r)
	}))
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	const said = "on the loop's pool:  hello ann\non the loop's pool:  hello bob\nin another process:  hello cat\nin another process:  hello dog\n"
	if out.String() != said {
		t.Errorf("got\n%swant\n%s", out.String(), said)
	}
	var want []string
	for _, who := range []string{"ann", "bob", "cat", "dog"} {
		want = append(want, `/2015-03-31/functions/greet/invocations RequestResponse None AWS4-HMAC-SHA256 Credential=example {"who":"`+who+`"}`)
	}
	if slices.Sort(arrived); !slices.Equal(arrived, want) { // the last two may come in either order
		t.Errorf("Lambda got\n%s\nwant\n%s", strings.Join(arrived, "\n"), strings.Join(want, "\n"))
	}
}

// Lambda answers only when a task of the caller's loop has told it to: a call that held the loop would
// wait for ever, so for the 10 seconds that it gets here.
func TestSdk_leavesTheLoopFree(t *testing.T) {
	fake := fakeLambda()
	var asked aio.Queue[*aio.Promise[struct{}]]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		goOn := aio.NewPromise[struct{}]()
		err := asked.Put(ctx, goOn)
		if err == nil {
			_, err = goOn.Await(ctx)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	defer server.Close()
	processes, err := procpool.New(procpool.Config{Workers: 2})
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	released := 0 // loop only
	_, err = aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			for goOn := range asked.All(ctx) {
				released++
				goOn.Resolve(struct{}{})
			}
			return ctx.Err()
		}))
		return call(ctx, io.Discard, server.URL, processes)
	}))
	if err != nil || released != 4 {
		t.Errorf("the loop released %d calls of 4: %v", released, err)
	}
	if done := processes.Stats().Done; done != 2 {
		t.Errorf("%d calls ran in other processes, want 2", done)
	}
	if err := processes.Close(); err != nil {
		t.Error(err)
	}
}

// A function that fails on Lambda's side is an error here, from another process too.
func TestSdk_functionError(t *testing.T) {
	server := httptest.NewServer(fakeLambda())
	defer server.Close()
	processes, err := procpool.New(procpool.Config{Workers: 1})
	skipUnsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	in := invocation{server.URL, "greet", ""}
	_, here := invokeJob.Call(t.Context(), in)
	_, there := invokeJob.In(t.Context(), processes, in).Await(t.Context())
	const want = `greet(): Unhandled: {"errorMessage": "whom?"}`
	if here == nil || there == nil || here.Error() != want || there.Error() != want {
		t.Errorf("here %v, there %v; want %s", here, there, want)
	}
	if err := processes.Close(); err != nil {
		t.Error(err)
	}
}

func skipUnsupported(t *testing.T, err error) {
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
}

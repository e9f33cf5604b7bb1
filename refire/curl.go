package refire

import (
	"fmt"
	"math"
	"strings"

	"github.com/seed8b1f0744/aio/refire/internal/shell"
)

// Curl is a command for a POSIX shell that sends what a LoopClient of c would send for r, byte for byte, by curl 7.55 or later. Secrets are not in it: it reads
// them where they were read, and hands them over so that ps does not show them. It prints the status, the method and the target.
func (c *HTTPConfig) Curl(r *Request) string {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	w := curlWords{words: []string{
		"curl", "-q", // nothing out of ~/.curlrc; this must be the first
		"-sS", "-o", "/dev/null", "-w", curlSays(r), "--http1.1", "--noproxy", "*", "--path-as-is", "--globoff",
		"--max-time", fmt.Sprint(math.Ceil(timeout.Seconds()*1000) / 1000),
	}}
	switch r.Method {
	case "GET":
	case "HEAD":
		w.add("-I")
	default:
		w.add("-X", r.Method)
	}
	headers := c.headersFor(r.Origin)
	if h := headers[0]; h == (Header{Name: "User-Agent", Value: UserAgent}) {
		w.add("-A", h.Value)
		headers = headers[1:]
	} else if strings.EqualFold(h.Name, "User-Agent") {
		w.header(h)
		headers = headers[1:]
	}
	if hasBody(r.Method) {
		w.add("-H", "Content-Length: 0")
	}
	for _, h := range headers {
		w.header(h)
	}
	w.stdin()
	if c.IdempotencyKey != "" && !isSafe(r.Method) {
		w.header(Header{Name: c.IdempotencyKey, Value: r.IdempotencyKey()})
	}
	w.add("--request-target", r.Target, r.Origin.String()+"/")
	return w.String()
}

// curlSays is what curl prints when it is done: to it, % begins a variable and \n is a newline. It has no way to say a backslash before an n, so that it stands
// as it would be percent-encoded.
func curlSays(r *Request) string {
	return `%{http_code} ` + strings.NewReplacer("%", "%%", `\`, "%%5C").Replace(r.Method+" "+r.Target) + `\n`
}

// curlWords is a command line that is being put together.
type curlWords struct {
	words []string
	file  string   // the last one that was named
	env   []Header // what printf writes into curl's standard input; nil: nothing
}

func (w *curlWords) add(words ...string) { w.words = append(w.words, words...) }

func (w *curlWords) header(h Header) {
	switch {
	case h.Env != "":
		w.env = append(w.env, h)
		return
	case h.File != "" && h.File == w.file:
		return // it is among those that curl reads there
	}
	w.stdin()
	switch w.file = h.File; {
	case h.File != "":
		w.add("-H", "@"+h.File)
	case h.Secret:
		w.add("-H", h.Name+": "+hidden)
	default:
		w.add("-H", h.Name+": "+h.Value)
	}
}

// stdin puts the headers out of the environment where they stand among the others: they come last, so this is once.
func (w *curlWords) stdin() {
	if len(w.env) > 0 && (len(w.words) == 0 || w.words[len(w.words)-1] != "@-") {
		w.add("-H", "@-")
	}
}

func (w *curlWords) String() string {
	var b strings.Builder
	if len(w.env) > 0 {
		b.WriteString("printf '%s\\n'")
		for _, h := range w.env {
			b.WriteString(" " + shell.Word(h.Name+": ") + `"$` + h.Env + `"`)
		}
		b.WriteString(" | ") // printf is of the shell itself: ps does not see it
	}
	for i, word := range w.words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(shell.Word(word))
	}
	return b.String()
}

package main

import (
	"strings"

	"github.com/seed8b1f0744/aio/refire"
)

// shellQuote writes text as one word of a POSIX shell, whatever is in it.
func shellQuote(text string) string {
	if text != "" && strings.Trim(text, shellPlain) == "" && text[0] != '-' && text[0] != '~' {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// shellPlain are bytes that no shell acts on.
const shellPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:@_"

// curlCommand is a command that sends r as refire would: to its origin, with its target byte for byte. curl's own settings (-q) and patterns in URLs (-g) are
// off. It prints the status and the URL.
func curlCommand(r *refire.Request) string {
	words := []string{"curl", "-q", "-g", "-sS", "--path-as-is"}
	switch r.Method {
	case "GET":
	case "HEAD":
		words = append(words, "--head")
	default:
		words = append(words, "--request", shellQuote(r.Method))
	}
	words = append(words, "--output", "/dev/null", "--write-out", `'%{http_code} %{url_effective}\n'`)
	url := r.Origin.String() + r.Target
	if strings.Trim(r.Target, urlPlain) != "" || strings.HasPrefix(r.Target, "//") { // curl would cut a fragment off, or make other bytes of it
		words = append(words, "--request-target", shellQuote(r.Target))
		url = r.Origin.String() + "/"
	}
	return strings.Join(append(words, shellQuote(url)), " ")
}

// urlPlain are the bytes that RFC 3986 allows in a path and a query.
const urlPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@%/?"

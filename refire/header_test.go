package refire_test

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func TestParseHeader(t *testing.T) {
	for line, want := range map[string]string{
		"X-A: b": "b", "X-A:b": "b", "X-A:\t b: c ": "b: c", `x!#$%&'*+-.^_|~: "q"`: `"q"`, "User-Agent: me/1 (x)": "me/1 (x)", "Range: bytes=0-0": "bytes=0-0",
	} {
		if h, err := refire.ParseHeader(line); err != nil || h.Value != want {
			t.Errorf("%q: %q, %v", line, h.Value, err)
		}
	}
	for _, line := range []string{
		"", ":", "X-A", "X-A:", "X-A: \t", ": b", "X A: b", "X-A : b", " X-A: b", "Xé: b", "X-A: sesame\r\nX-B: c", "X-A: sesame\nX-B: c", "X-A: sesame\x00", "X-A: sesame\x7f",
		"X-A: sesamé", "X-A: sesame" + strings.Repeat("x", refire.MaxHeaderValueBytes),
		"Host: sesame", "hOST: sesame", "Content-Length: sesame", "Transfer-Encoding: sesame", "Connection: sesame", "Keep-Alive: sesame", "TE: sesame",
		"Trailer: sesame", "Upgrade: sesame", "Proxy-Connection: sesame", "Proxy-Authorization: sesame", "Expect: sesame", "HTTP2-Settings: sesame", "Content-Encoding: sesame", ":authority: sesame",
	} {
		if _, err := refire.ParseHeader(line); err == nil || strings.Contains(err.Error(), "sesam") {
			t.Errorf("%q: %v", line, err)
		}
	}
	twice := []refire.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}}
	if err := refire.CheckHeaders(twice); err == nil {
		t.Error("the same header twice")
	}
	many := make([]refire.Header, refire.MaxHeaders+1)
	for i := range many {
		many[i] = refire.Header{Name: fmt.Sprint("X-", i), Value: "x"}
	}
	if err := refire.CheckHeaders(many[1:]); err != nil {
		t.Error(err)
	}
	if err := refire.CheckHeaders(many); err == nil {
		t.Error("too many headers")
	}
}

func TestLooksSecret(t *testing.T) {
	for line, want := range map[string]bool{
		"Authorization: x": true, "authorization: x": true, "Cookie: a=b": true, "X-Api-Key: x": true, "X-API-KEY: x": true, "X-Auth-Token: x": true, "X-Vault-Token: x": true,
		"X-Amz-Security-Token: x": true, "X-Password: x": true, "X-Whatever: Bearer abc": true, "X-Whatever: basic abc": true,
		"X-Session-Id: x": true, "X-Credentials: x": true, "X-Access-Key: x": true, "X-Auth-Key: x": true, "X-Auth: x": true, "X-Client-Secret: x": true, "X-ApiKey: x": true,
		"X-Whatever: Digest x": true, "X-Whatever: Negotiate x": true,
		"X-Debug: 1": false, "Accept-Language: de": false, "X-Forwarded-For: 192.0.2.1": false, "User-Agent: basically/1": false, "Cache-Control: no-cache": false,
	} {
		h, err := refire.ParseHeader(line)
		if err != nil || h.LooksSecret() != want {
			t.Errorf("%s: %v, %v", line, h.LooksSecret(), err)
		}
	}
}

// TestHeadersOnTheWire: the same lines with both clients; secrets go to the base and nowhere else.
func TestHeadersOnTheWire(t *testing.T) { eachClient(t, testHeadersOnTheWire) }

func testHeadersOnTheWire(t *testing.T, newClient newClientFunc) {
	base, other := newRawServer(t, nil), newRawServer(t, nil)
	client := newClient(t, refire.HTTPConfig{
		Headers: []refire.Header{
			{Name: "X-B", Value: "plain"}, {Name: "accept", Value: "text/html"}, {Name: "user-agent", Value: "me/1"}, {Name: "Authorization", Value: "Bearer sesame", Secret: true},
		},
		Base: base.origin(t), IdempotencyKey: "Idempotency-Key",
	}, base.origin(t), other.origin(t))
	r := request(0, "/x")
	r.ID = accesslog.ID{7}
	for _, method := range []string{"GET", "POST", "DELETE"} {
		r.Method = method
		for _, s := range []*rawServer{base, other} {
			r.Origin = s.origin(t)
			if a := client.Attempt(t.Context(), &r); a.Err != nil {
				t.Fatal(a.Err)
			}
			want := []string{"accept: text/html", "host: " + s.Addr().String(), "user-agent: me/1", "x-b: plain"}
			if s == base {
				want = append(want, "authorization: bearer sesame")
			}
			if method == "POST" {
				want = append(want, "content-length: 0")
			}
			if method != "GET" {
				want = append(want, "idempotency-key: "+r.IdempotencyKey())
			}
			slices.Sort(want)
			heads := s.seen()
			if got := headLines(heads[len(heads)-1]); !slices.Equal(got, want) {
				t.Errorf("%s: sent %q, want %q", method, got, want)
			}
		}
	}
}

// headLines are the fields of a head, in lower case, sorted.
func headLines(head string) []string {
	lines := strings.Split(strings.ToLower(strings.TrimSuffix(head, "\r\n\r\n")), "\r\n")[1:]
	slices.Sort(lines)
	return lines
}

func TestIdempotencyKey(t *testing.T) {
	a, b := request(0, "/a"), request(0, "/b")
	a.ID, b.ID = accesslog.ID{1}, accesslog.ID{2}
	key := a.IdempotencyKey()
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(key) {
		t.Errorf("%s is no UUID", key)
	}
	if key == b.IdempotencyKey() {
		t.Error("two entries have the same key")
	}
	a.Target, a.Again, a.Source = "/c", true, "renamed.log"
	if key != a.IdempotencyKey() || key != "4bed92b6-dcd3-8dc2-ae7c-2f99e3b5030e" {
		t.Errorf("%s: servers keep keys of earlier runs, so it must not change", key)
	}
}

// TestSecretsAreNotInErrors: a server says what it got, in what is no HTTP.
func TestSecretsAreNotInErrors(t *testing.T) { eachClient(t, testSecretsAreNotInErrors) }

func testSecretsAreNotInErrors(t *testing.T, newClient newClientFunc) {
	hush(t)
	const bearer, basic = `Bearer open"sesame`, "Basic dXNlcjpzZXNhbWU=" // user:sesame
	for _, echo := range []string{bearer, `open"sesame`, basic, "dXNlcjpzZXNhbWU=", "user:sesame", "session=sesame"} {
		s := newRawServer(t, func(net.Conn, string, int, int) string { return "got " + echo + "\r\n\r\n" })
		client := newClient(t, refire.HTTPConfig{Base: s.origin(t), Headers: []refire.Header{
			{Name: "Authorization", Value: bearer, Secret: true}, {Name: "X-Basic", Value: basic, Secret: true}, {Name: "Cookie", Value: "a=bc; session=sesame", Secret: true},
		}}, s.origin(t))
		r := request(0, "/")
		r.Origin = s.origin(t)
		a := client.Attempt(t.Context(), &r)
		if a.Err == nil || a.Err.Trouble != refire.Garbage || strings.Contains(a.Err.Error(), "sesame") || strings.Contains(a.Err.Error(), "dXNlcj") {
			t.Errorf("%q: %v", echo, a.Err)
		}
	}
}

package refire_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func mustOrigin(t testing.TB, text string) refire.Origin {
	t.Helper()
	o, err := refire.ParseOrigin(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func mustMethods(t testing.TB, text string) refire.Methods {
	t.Helper()
	m, err := refire.ParseMethods(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFates is the table of the README, and then some.
func TestFates(t *testing.T) {
	var routes refire.Routes
	routes.Base = mustOrigin(t, "http://base.test:8080")
	routes.AddAlias(mustOrigin(t, "https://www.shop.test"))
	if err := routes.Allow("other.test:80"); err != nil {
		t.Fatal(err)
	}
	plan := refire.Plan{Methods: mustMethods(t, "GET,HEAD,OPTIONS"), Routes: routes, CanSend: refire.CanSendHTTP}
	const base, other = "http://base.test:8080", "http://other.test"
	for _, c := range []struct {
		method, target, host string
		url                  string // empty: not fired
		why                  refire.Reason
	}{
		// Origin-form: byte for byte.
		{"GET", "/", "", base + "/?retry=True", ""},
		{"HEAD", "/a?b=1", "", base + "/a?b=1&retry=True", ""},
		{"GET", "/a%2Fb//c/../d?x=%20+&y&b=2&a=1", "", base + "/a%2Fb//c/../d?x=%20+&y&b=2&a=1&retry=True", ""},
		{"GET", "/%zz", "", base + "/%zz?retry=True", ""},
		{"GET", "/a#frag", "", base + "/a?retry=True#frag", ""},
		{"GET", "/@victim.test/", "", base + "/@victim.test/?retry=True", ""},
		{"GET", `/\victim.test/`, "", base + `/\victim.test/?retry=True`, ""},
		{"GET", "/http://victim.test/", "", base + "/http://victim.test/?retry=True", ""},
		{"GET", "//victim.test/x", "", base + "//victim.test/x?retry=True", ""},
		{"GET", "///", "", base + "///?retry=True", ""},
		{"GET", "//user@victim.test:1/x?y", "", base + "//user@victim.test:1/x?y&retry=True", ""},
		// ... or not at all.
		{"GET", "//victim.test/%zz", "", "", refire.CannotSend},
		{"GET", `//victim.test\x`, "", "", refire.CannotSend},
		{"GET", "//victim.test/#x", "", "", refire.CannotSend},
		// Bytes that cannot stand in a request line.
		{"GET", "/sp ace", "", base + "/sp%20ace?retry=True", ""},
		{"GET", "/\x00\r\n\x1b\x7f", "", base + "/%00%0D%0A%1B%7F?retry=True", ""},
		{"GET", "/caf\xc3\xa9?\xff", "", base + "/caf%C3%A9?%FF&retry=True", ""},
		// Absolute-form.
		{"GET", "http://base.test:8080/x?y", "", base + "/x?y&retry=True", ""},
		{"GET", "HTTP://BASE.test:8080", "", base + "/?retry=True", ""},
		{"GET", "http://base.test:8080?y", "", base + "/?y&retry=True", ""},
		{"GET", "https://www.shop.test/x", "", base + "/x?retry=True", ""},
		{"GET", "https://www.shop.test:443/x", "", base + "/x?retry=True", ""},
		{"GET", "http://other.test/x", "", other + "/x?retry=True", ""},
		{"GET", "http://other.test:80//x", "", other + "//x?retry=True", ""},
		{"GET", "https://other.test/x", "", "", refire.OtherHost},
		{"GET", "http://www.shop.test/x", "", "", refire.OtherHost},
		{"GET", "http://base.test/x", "", "", refire.OtherHost},
		{"GET", "https://base.test:8080/x", "", "", refire.OtherHost},
		{"GET", "http://base.test:8080.victim.test/", "", "", refire.OddHost},
		{"GET", "http://base.test.:8080/", "", "", refire.OtherHost},
		{"GET", "http://victim.test/", "", "", refire.OtherHost},
		{"GET", "http://169.254.169.254/latest/", "", "", refire.OtherHost},
		{"GET", "http://[::1]/", "", "", refire.OtherHost},
		{"GET", "http://[fe80::1%25eth0]/", "", "", refire.OddHost},
		{"GET", "http://base.test:8080@victim.test/", "", "", refire.OddHost},
		{"GET", "http://user@base.test:8080/", "", "", refire.OddHost},
		{"GET", `http://base.test:8080\@victim.test/`, "", "", refire.OddHost},
		{"GET", "http:///x", "", "", refire.OddHost},
		{"GET", "http://base.test:0/", "", "", refire.OddHost},
		{"GET", "http://b\xc3\xa4se.test/", "", "", refire.OddHost},
		{"GET", "ftp://base.test:8080/", "", "", refire.OtherScheme},
		{"GET", "file:///etc/passwd", "", "", refire.OtherScheme},
		// No request.
		{"GET", "", "", "", refire.NoRequestLine},
		{"", "", "", "", refire.NoRequestLine},
		{"GET", "-", "", "", refire.NoRequestLine},
		{"CONNECT", "base.test:8080", "", "", refire.NoTunnel},
		{"CONNECT", "/x", "", "", refire.NoTunnel},
		{"OPTIONS", "*", "", "", refire.NoAsterisk},
		{"PRI", "*", "", "", refire.NoAsterisk},
		{"GET", "@victim.test/at", "", "", refire.NoSense},
		{"GET", "victim.test:80", "", "", refire.NoSense},
		{"GET", "?x", "", "", refire.NoSense},
		{"GET", `\x`, "", "", refire.NoSense},
		{"GET", "http:/x", "", "", refire.NoSense},
		{"GET", "javascript:alert(1)", "", "", refire.NoSense},
		{"G\x00T", "/x", "", "", refire.NoSense},
		{"<BADREQ>", "/x", "", "", refire.NoSense},
		// Methods: no request comes first, the place last.
		{"POST", "/x", "", "", refire.OtherMethod},
		{"get", "/x", "", "", refire.OtherMethod},
		{"POST", "http://victim.test/", "", "", refire.OtherMethod},
		{"POST", "*", "", "", refire.NoAsterisk},
		// A host column.
		{"GET", "/x", "other.test:80", other + "/x?retry=True", ""},
		{"GET", "/x", "other.test", other + "/x?retry=True", ""},
		{"GET", "/x", "OTHER.test:80", other + "/x?retry=True", ""},
		{"GET", "/x", "victim.test:80", base + "/x?retry=True", ""},
		{"GET", "/x", "other.test:443", base + "/x?retry=True", ""},
		{"GET", "/x", "other.test:80@victim", base + "/x?retry=True", ""},
	} {
		e := accesslog.Entry{Method: c.method, Target: c.target, Host: c.host, Status: 503, Source: "s", Offset: 7, ID: accesslog.ID{1}}
		r, why := plan.Decide(&e)
		if why != c.why {
			t.Errorf("%s %q (%s): %q, want %q", c.method, c.target, c.host, why, c.why)
			continue
		}
		if why == "" && r.URL() != c.url {
			t.Errorf("%s %q (%s): fires %q, want %q", c.method, c.target, c.host, r.URL(), c.url)
		}
		if why == "" && (r.ID != e.ID || r.Source != "s" || r.Offset != 7 || r.OldStatus != 503 || r.Method != c.method) {
			t.Errorf("%s %q: lost something of the entry: %+v", c.method, c.target, r)
		}
	}
}

// TestNoBase: with allowed hosts alone, only entries that name one of them are fired.
func TestNoBase(t *testing.T) {
	var routes refire.Routes
	if err := routes.Allow("[::1]:443"); err != nil {
		t.Fatal(err)
	}
	plan := refire.Plan{Methods: mustMethods(t, "any"), Routes: routes}
	for _, c := range []struct {
		target, url string
		why         refire.Reason
	}{
		{"/x", "", refire.NoBase},
		{"https://[::1]/x", "https://[::1]/x?retry=True", ""},
		{"https://[0:0::1]:443/x", "https://[::1]/x?retry=True", ""},
		{"http://[::1]/x", "", refire.OtherHost},
		{"http://[::1]:443/x", "http://[::1]:443/x?retry=True", ""},
	} {
		r, why := plan.Decide(&accesslog.Entry{Method: "PATCH", Target: c.target})
		if why != c.why || (why == "" && r.URL() != c.url) {
			t.Errorf("%s: %q %q, want %q %q", c.target, r.URL(), why, c.url, c.why)
		}
	}
}

func TestNamed(t *testing.T) {
	for target, want := range map[string]string{
		"http://Shop.test/x": "http://shop.test", "https://h:8443?x": "https://h:8443", "HTTP://[::1]": "http://[::1]",
		"/http://h/": "", "//h/x": "", "ftp://h/": "", "http://a@h/": "", "h:80": "", "*": "", "": "",
	} {
		if at, ok := refire.Named(target); ok != (want != "") || at.String() != want {
			t.Errorf("Named(%q) = %v, %v", target, at, ok)
		}
	}
}

func TestRewritten(t *testing.T) {
	for target, want := range map[string]bool{"/a": false, "/%zz\"<>|\\^`{}#": false, "/ ": true, "/\x80": true, "/\x1f": true, "/\x7f": true} {
		line, rewritten := refire.Wire(target)
		if rewritten != want || (line != target) != want {
			t.Errorf("Wire(%q) = %q, %v", target, line, rewritten)
		}
	}
}

func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"/", "//x", "http://base.test/", "http://a@base.test", "*", "-", "http://[::1]:80/", "\x00"} {
		f.Add("GET", seed, "")
	}
	var routes refire.Routes
	routes.Base = mustOrigin(f, "http://base.test")
	plan := refire.Plan{Methods: mustMethods(f, "any"), Routes: routes, CanSend: refire.CanSendHTTP}
	f.Fuzz(func(t *testing.T, method, target, host string) {
		r, why := plan.Decide(&accesslog.Entry{Method: method, Target: target, Host: host})
		if _, named := refire.Named(target); (why == refire.OtherHost) && !named {
			t.Fatalf("%q is refused as it names another host, and names none", target)
		}
		if why != "" {
			return
		}
		if r.Origin != routes.Base {
			t.Fatalf("%q leads to %v", target, r.Origin)
		}
		if r.Target[0] != '/' {
			t.Fatalf("%q becomes %q", target, r.Target)
		}
		for i := range len(r.Target) {
			if c := r.Target[i]; c <= ' ' || c >= 0x7F {
				t.Fatalf("%q becomes %q, which cannot stand in a request line", target, r.Target)
			}
		}
	})
}

func TestParseOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"http://h":                        "http://h",
		"http://H.Example:80/":            "http://h.example",
		"HTTPS://h:443":                   "https://h",
		"https://h:80":                    "https://h:80",
		"http://[::1]:8080":               "http://[::1]:8080",
		"http://[0:0:0:0:0:0:0:1]":        "http://[::1]",
		"http://127.0.0.1:1":              "http://127.0.0.1:1",
		"http://xn--bse-rla.test":         "http://xn--bse-rla.test",
		"http://my_service.internal:8080": "http://my_service.internal:8080",
	} {
		if got := mustOrigin(t, text).String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{
		"", "h", "h:80", "//h", "ftp://h", "http://", "http:///x", "http://u@h", "http://u:p@h", "http://h/app", "http://h?x", "http://h#x", "http://h/?",
		"http://[fe80::1%eth0]", "http://[::1", "http://[1.2.3.4]", "http://::1", "http://h:", "http://h:0", "http://h:65536", "http://h:+1", "http://h:x", "http://h h",
		"http://h\x00", "http://b\u00e4se", " http://h", "http://h\\",
	} {
		if o, err := refire.ParseOrigin(text); err == nil {
			t.Errorf("%q is taken as %v", text, o)
		}
	}
}

func TestMethods_Unregistered(t *testing.T) {
	for text, want := range map[string]string{
		"GET,HEAD,POST,PUT,DELETE,OPTIONS,TRACE,PATCH": "",
		"propfind,QUERY": "",
		"any":            "",
		"GTE,GET,purge":  "GTE,PURGE",
		"any,GTE":        "",
	} {
		m, err := refire.ParseMethods(text)
		if got := strings.Join(m.Unregistered(), ","); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

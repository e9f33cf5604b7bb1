package refire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// TestSchemeOfALoggedHost: what the log says it was; where that says nothing, https on port 443 and http else.
func TestSchemeOfALoggedHost(t *testing.T) {
	var routes refire.Routes
	for _, place := range []string{"h:80", "h:443", "h:8443"} {
		if err := routes.Allow(place); err != nil {
			t.Fatal(err)
		}
	}
	plan := refire.Plan{Methods: mustMethods(t, "GET"), Routes: routes}
	for _, c := range []struct{ host, scheme, url string }{
		{"h", "", "http://h/?retry=True"},
		{"h", "http", "http://h/?retry=True"},
		{"h", "https", "https://h/?retry=True"},
		{"h:443", "", "https://h/?retry=True"},
		{"h:443", "http", "http://h:443/?retry=True"},
		{"h:8443", "", "http://h:8443/?retry=True"},
		{"h:8443", "https", "https://h:8443/?retry=True"},
		{"h:80", "https", "https://h:80/?retry=True"},
	} {
		r, why := plan.Decide(&accesslog.Entry{Method: "GET", Target: "/", Host: c.host, Scheme: c.scheme})
		if why != "" || r.URL() != c.url {
			t.Errorf("%s, %q: %q, %q; want %q", c.host, c.scheme, r.URL(), why, c.url)
		}
	}
}

func TestAllow(t *testing.T) {
	for _, text := range []string{"", "h", "h:", "h:0", "h:x", "[::1]", "u@h:80", "http://h:80", "h:80/"} {
		var routes refire.Routes
		if err := routes.Allow(text); err == nil || len(routes.HostPorts()) > 0 {
			t.Errorf("%q is allowed: %v", text, routes.HostPorts())
		}
	}
	var routes refire.Routes
	if err := routes.Allow("h"); err == nil || !strings.Contains(err.Error(), "HOST:PORT") {
		t.Errorf("%v", err)
	}
}

// TestPlacesAreListedOnce, the base first, and each permits what it names and nothing else.
func TestPlacesAreListedOnce(t *testing.T) {
	base := mustOrigin(t, "https://h:8443")
	routes := refire.Routes{Base: base}
	for _, place := range []string{"H:8443", "other:80"} {
		if err := routes.Allow(place); err != nil {
			t.Fatal(err)
		}
	}
	if got := routes.HostPorts(); !slices.Equal(got, []string{"h:8443", "other:80"}) {
		t.Errorf("%v", got)
	}
	want := []refire.Origin{base, mustOrigin(t, "http://h:8443"), mustOrigin(t, "http://other"), mustOrigin(t, "https://other:80")}
	if got := routes.Origins(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, o := range want {
		if !routes.Permits(o) {
			t.Errorf("%v is not permitted", o)
		}
	}
	for _, o := range []refire.Origin{{}, mustOrigin(t, "https://h"), mustOrigin(t, "http://other:81"), mustOrigin(t, "http://victim")} {
		if routes.Permits(o) {
			t.Errorf("%v is permitted", o)
		}
	}
	var none refire.Routes
	if none.Permits(refire.Origin{}) {
		t.Error("no place at all is permitted")
	}
}

// TestPlanMayNot: what this run's options would not fire is not fired again, either.
func TestPlanMayNot(t *testing.T) {
	plan := refire.Plan{Methods: mustMethods(t, "GET"), Routes: refire.Routes{Base: mustOrigin(t, "http://h")}, CanSend: func(r *refire.Request) bool { return r.Target != "/odd" }}
	at := func(method, place, target string) *refire.Request {
		return &refire.Request{Method: method, Origin: mustOrigin(t, place), Target: target}
	}
	for want, r := range map[refire.Reason]*refire.Request{
		"": at("GET", "http://h", "/"), refire.OtherMethod: at("POST", "http://elsewhere", "/odd"), refire.OtherPlace: at("GET", "https://h", "/odd"), refire.CannotSend: at("GET", "http://h", "/odd"),
	} {
		if why := plan.MayNot(r); why != want {
			t.Errorf("%s %v%s: %q, want %q", r.Method, r.Origin, r.Target, why, want)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
)

// proxyFromEnv is the --proxy that takes what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. Without it they are not used: a proxy decides where requests go, and
// that is the operator's to say.
const proxyFromEnv = "env"

func (f *runFlags) checkProxy() error {
	if f.proxy == "" {
		return nil
	}
	if f.client != onThreads {
		return usage(errors.New("--proxy needs --client net/http; the loop's client goes straight to a server"), "add --client net/http, or leave --proxy out")
	}
	if f.proxy == proxyFromEnv {
		return nil
	}
	if _, err := refire.ParseProxy(f.proxy); err != nil { // which may hold a password, and is not shown
		return usage(fmt.Errorf("--proxy: %w", err), "for example --proxy http://127.0.0.1:3128, or --proxy env for that of the environment")
	}
	return nil
}

// pin looks up where requests go, or the proxies they go through.
func (f *runFlags) pin(ctx context.Context, routes *refire.Routes) (*refire.Pins, error) {
	lookup := net.DefaultResolver.LookupNetIP
	if f.proxy == "" {
		pins, err := refire.Pin(ctx, lookup, routes.HostPorts())
		if err != nil {
			return nil, cannotRun(err, "nothing was fired; check --base and --allow-host")
		}
		return pins, nil
	}
	pins, err := refire.PinThrough(ctx, lookup, routes.Origins(), f.proxyFor)
	if err != nil {
		return nil, cannotRun(err, "nothing was fired; check --proxy, --base and --allow-host")
	}
	return pins, nil
}

// proxyFor is the proxy for o; nil: none.
func (f *runFlags) proxyFor(o refire.Origin) (*refire.Proxy, error) {
	text := f.proxy
	if text == proxyFromEnv {
		u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: o.Scheme, Host: o.HostPort()}})
		if err != nil {
			return nil, errors.New("HTTP_PROXY or HTTPS_PROXY is no URL") // err shows it whole, with a password in it
		}
		if u == nil {
			return nil, nil
		}
		text = u.String()
	}
	return refire.ParseProxy(text)
}

// sayProxies says which way requests go, wherever a proxy might be thought of.
func (f *runFlags) sayProxies(pins *refire.Pins, routes *refire.Routes, c *console) {
	if f.proxy == "" {
		if name := proxySet(); name != "" {
			c.say("refire: %s is set and is not used: requests go straight to %s", name, f.places())
		}
		return
	}
	for _, o := range routes.Origins() {
		if p := pins.Proxy(o); p != nil {
			c.say("refire: requests to %v go through %v", o, p)
		} else {
			c.say("refire: the environment names no proxy for %v: requests go straight there", o)
		}
	}
}

// proxySet is the variable of the environment that names a proxy; empty: none does.
func proxySet() string {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		if strings.TrimSpace(os.Getenv(name)) != "" {
			return name
		}
	}
	return ""
}

// proxyHint is for a run in which nothing was answered, and a proxy let nothing through.
func (f *runFlags) proxyHint(origins []refire.Origin, again string) string {
	var names []string
	for _, o := range origins {
		if p, err := f.proxyFor(o); err == nil && p != nil && !slices.Contains(names, p.String()) {
			names = append(names, p.String())
		}
	}
	hint := fmt.Sprintf("nothing got past the proxy %s: is it up, may it connect to %s, and is that up?", strings.Join(names, ", "), f.places())
	if f.journals() {
		hint += "\nthe errors in " + f.out + " are what it said; " + again
	}
	return hint
}

// proxyPasswordHint says where user name and password go.
func proxyPasswordHint(f *runFlags) string {
	if f.proxy == proxyFromEnv {
		return "put them before the host in HTTP_PROXY or HTTPS_PROXY: http://NAME:PASSWORD@HOST:PORT"
	}
	return "--proxy http://NAME:PASSWORD@HOST:PORT, or --proxy env, which takes them from HTTP_PROXY and HTTPS_PROXY"
}

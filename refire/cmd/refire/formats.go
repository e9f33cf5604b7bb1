package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// writtenBy says of the formats' names who writes such lines, those that belong together at once. One that is missing here is listed all the same.
var writtenBy = []struct{ names, by string }{
	{"common, combined, vhost_combined, extended", `Apache, nginx, and whatever has [time] "request" status in it`},
	{"json", "anything that logs JSON lines; it knows many usual keys"},
	{"logfmt", "Heroku's router, lograge, loggers of Go: key=value"},
	{"w3c", "IIS, CloudFront"},
	{"alb, elb, s3", "AWS: load balancers, S3 server access"},
	{"haproxy", "HAProxy, option httplog or httpslog"},
	{"envoy, envoy-json", "Envoy, Istio"},
	{"caddy, traefik, traefik-json, nginx-ingress", "Caddy, Traefik, the ingress controller of nginx"},
}

const formatsBegin = `What access logs may be written in.

Most need no flag: the format is recognised by the first 100 lines, and told. A
log may hold lines of several. Where the guess is wrong, --format has the name:

`

const formatsEnd = `
Before a name, docker:, cri: (containerd, CRI-O: Kubernetes) or syslog: says
what is around the lines, as in --format cri:json.

Or the server's own string, in quotes of the shell, or the file that has it:

  --format '$remote_addr - - [$time_local] "$request" $status'      nginx
  --format '%h %l %u %t "%r" %>s'                                   Apache
  --format-from /etc/nginx/nginx.conf      or :NAME after it for another one

JSON lines (with --format logfmt: key=value) with keys of their own; a dot leads
into an object, and what is not said is found by the usual keys. There are
method, target, query, proto, status, time, host, scheme; request for a whole
request line, url for one with scheme and host:

  --field status=EdgeResponseStatus --field target=ClientRequestURI

What a client writes can make neither a request nor a status: a string in which
it could is refused, with the reason. --show-bad says why a line is none.`

// formatsTopic is the page of the formats. The manual page has it, too.
var formatsTopic = topic{"formats", "What access logs may be written in, by name", whatToRead, formatsBegin + formatTable() + formatsEnd, []string{"format", "format-from", "field"}}

// formatTable lists the names that accesslog knows, with who writes such lines.
func formatTable() string {
	left := slices.DeleteFunc(accesslog.FormatNames(), func(name string) bool { return name == accesslog.Auto.String() })
	var b strings.Builder
	line := func(names, by string) { fmt.Fprintf(&b, "  %s\n      %s\n", names, by) }
	for _, group := range writtenBy {
		names := strings.Split(group.names, ", ")
		line(group.names, group.by)
		left = slices.DeleteFunc(left, func(name string) bool { return slices.Contains(names, name) })
	}
	if len(left) > 0 {
		line(strings.Join(left, ", "), "see refire's README")
	}
	return b.String()
}

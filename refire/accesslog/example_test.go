package accesslog_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

const sample = `192.0.2.1 - - [03/Feb/2026:04:05:06 +0000] "GET /cart?id=7 HTTP/1.1" 200 512 "-" "agent"
192.0.2.2 - - [03/Feb/2026:04:05:07 +0000] "GET /search?q=\"quoted\" HTTP/1.1" 502 0 "-" "agent"
192.0.2.3 - - [03/Feb/2026:04:05:07 +0000] "-" 408 0 "-" "-"
192.0.2.4 - - [03/Feb/2026:04:05:08 +0000] "GET /cut off
192.0.2.5 - - [03/Feb/2026:04:05:09 +0000] "POST /order HTTP/1.1" 503 0 "-" "agent"
`

func ExampleScanner() {
	scanner := accesslog.NewScanner(strings.NewReader(sample), accesslog.Options{Source: "access.log"})
	for entry, err := range scanner.All(context.Background()) {
		var bad *accesslog.BadLine
		switch {
		case errors.As(err, &bad): // counted, and the scan goes on
			fmt.Println("bad:", bad.Reason, bad.Quoted())
		case err != nil: // the end
			fmt.Println("error:", err)
		default:
			fmt.Printf("%s:%d: %s %q %d\n", entry.Source, entry.Line, entry.Method, entry.Target, entry.Status)
		}
	}
	stats := scanner.Stats()
	fmt.Printf("%v: %d lines, %d selected, %d bad, %d without a request\n",
		scanner.Detection(), stats.Lines, stats.Selected, stats.Malformed+stats.TooLong, stats.NoRequest)
	// Output:
	// access.log:2: GET "/search?q=\"quoted\"" 502
	// bad: the request has no closing quote "192.0.2.4 - - [03/Feb/2026:04:05:08 +0000] \"GET /cut off"
	// access.log:5: POST "/order" 503
	// combined (4 of 5 lines): 5 lines, 2 selected, 1 bad, 1 without a request
}

func ExampleNewFileScanner() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "access.log")
	if err := os.WriteFile(name, []byte(sample), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	f, err := os.Open(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	// With aio, set Submit to a pool's Submit, and call All through aio.Blocking.
	scanner, err := accesslog.NewFileScanner(f, accesslog.Options{Source: "access.log"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for entry, err := range scanner.All(context.Background()) {
		if err == nil {
			fmt.Println(entry.Offset, entry.Target)
		}
	}
	// Output:
	// 89 /search?q="quoted"
	// 304 /order
}

func ExampleParse() {
	entry, err := accesslog.Parse([]byte(`192.0.2.1 - - [03/Feb/2026:04:05:06 +0000] "GET /a\x22b HTTP/1.1" 500 0`))
	fmt.Println(entry.Method, entry.Target, entry.Proto, entry.Status, entry.Time.UTC(), err)
	// Output:
	// GET /a"b HTTP/1.1 500 2026-02-03 04:05:06 +0000 UTC <nil>
}

func ExampleBadLine() {
	_, err := accesslog.Parse([]byte("\x1b[31mnot a log"))
	var bad *accesslog.BadLine
	if errors.As(err, &bad) {
		fmt.Println(bad.Quoted(), bad.Reason == accesslog.NoRequestField)
	}
	// Output:
	// "\x1b[31mnot a log" true
}

func ExampleStatusSet() {
	var set accesslog.StatusSet
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.TextVar(&set, "status", accesslog.StatusSet{}, "statuses to select")
	err := flags.Parse([]string{"-status", "500,502-504"})
	fmt.Println(set, set.Contains(501), set.Contains(503), err)
	_, err = accesslog.ParseStatusSet("5xx;404")
	fmt.Println(err)
	// Output:
	// 500,502-504 false true <nil>
	// accesslog: status list "5xx;404": "5xx;404" is no status; write three digits ("503"), a range ("502-504") or a class ("5xx")
}

func ExampleDetect() {
	fmt.Println(accesslog.Detect([]byte(sample)))
	fmt.Println(accesslog.Detect([]byte(`{"status":500}`)))
	// Output:
	// combined (4 of 5 lines)
	// not an access log that can be read: it looks like JSON
}

func ExampleParseFormat() {
	for _, text := range []string{"combined", `%t %a "%r" %>s`, `$msec "$request_method $request_uri" $status`, `%h "%r"`} {
		format, err := accesslog.ParseFormat(text)
		fmt.Println(format, err)
	}
	// Output:
	// combined <nil>
	// %t %a "%r" %>s <nil>
	// $msec "$request_method $request_uri" $status <nil>
	// auto accesslog: format "%h \"%r\"": it has no status: nginx's $status, Apache's %>s
}

func ExampleFormat_Parse() {
	format, err := accesslog.ParseFormat(`escape=json {"at":"$time_iso8601","host":"$host","request":"$request","status":$status}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	entry, err := format.Parse([]byte(`{"at":"2026-02-03T04:05:06+00:00","host":"example.org","request":"GET /?q=\"x\" HTTP/1.1","status":502}`))
	fmt.Println(entry.Method, entry.Target, entry.Host, entry.Status, err)
	// Output:
	// GET /?q="x" example.org 502 <nil>
}

func ExampleFormatNames() {
	fmt.Println(accesslog.FormatNames())
	// Output:
	// [auto w3c alb elb s3 haproxy envoy envoy-json caddy traefik-json json logfmt traefik nginx-ingress vhost_combined common combined extended]
}

func ExampleParseNginx() {
	format, err := accesslog.ParseNginx(`$msec $status $request_method $scheme://$host$request_uri`)
	if err != nil {
		fmt.Println(err)
		return
	}
	entry, err := format.Parse([]byte(`1770087906.123 503 GET https://example.org/?q=x`))
	fmt.Println(entry.Time, entry.Method, entry.Target, entry.Scheme, entry.Host, err)
	// Output:
	// 2026-02-03 03:05:06.123 +0000 UTC GET /?q=x https example.org <nil>
}

func ExampleParseApache() {
	format, err := accesslog.ParseApache(`"%v %{%Y-%m-%dT%H:%M:%S%z}t \"%r\" %s -> %>s"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	entry, err := format.Parse([]byte(`example.org 2026-02-03T04:05:06+0100 "GET /?q=\"x\" HTTP/1.1" 200 -> 503`))
	fmt.Println(entry.Time.UTC(), entry.Host, entry.Target, entry.Status, err)
	// Output:
	// 2026-02-03 03:05:06 +0000 UTC example.org /?q="x" 503 <nil>
}

func ExampleParseJSON() {
	format, err := accesslog.ParseJSON(map[string]string{"status": "outcome.code", "method": "verb", "target": "to"})
	if err != nil {
		fmt.Println(err)
		return
	}
	entry, err := format.Parse([]byte(`{"verb":"GET","to":"/?q=\u00e9","outcome":{"code":503},"time":1770087906}`))
	fmt.Println(entry.Time, entry.Method, entry.Target, entry.Status, err)
	// Output:
	// 2026-02-03 03:05:06 +0000 UTC GET /?q=é 503 <nil>
}

const nginxConf = `http {
    log_format timed escape=json '$msec "$request"'  # what we need
                                 ' $status';
    log_format brief '$status';
    access_log /var/log/nginx/access.log timed;
}`

func ExampleFormatFrom() {
	format, err := accesslog.FormatFrom(nginxConf, "")
	fmt.Println(format, err)
	_, err = accesslog.FormatFrom(nginxConf, "brief")
	fmt.Println(err)
	_, err = accesslog.FormatFrom(nginxConf, "short")
	fmt.Println(err)
	// Output:
	// timed <nil>
	// accesslog: format "brief" (line 4): it has no request: nginx's "$request", or $request_method and $request_uri; Apache's "%r", or %m and %U%q
	// accesslog: no format "short" in it; it has timed and brief
}

func ExampleStats_Add() {
	var total accesslog.Stats
	for _, log := range []string{sample, "\n" + sample} {
		scanner := accesslog.NewScanner(strings.NewReader(log), accesslog.Options{})
		for range scanner.All(context.Background()) {
		}
		stats := scanner.Stats()
		total.Add(&stats)
	}
	fmt.Println(total.Lines, total.Empty, total.ByStatus[503])
	// Output:
	// 11 1 2
}

func ExampleID() {
	first := func(log string) accesslog.ID {
		for entry := range accesslog.NewScanner(strings.NewReader(log), accesslog.Options{}).All(context.Background()) {
			return entry.ID
		}
		return accesslog.ID{}
	}
	fmt.Println(first(sample))
	fmt.Println(first(sample+sample) == first(sample), first(sample[89:]) == first(sample))
	// Output:
	// 3ae85231608ad0453ab93f8dc5885b81
	// true false
}

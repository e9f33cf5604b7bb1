package accesslog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// server writes lines as a server does, with stuff, which clients made, in every place that clients fill.
type server struct {
	name, format string
	header       string
	target       func(string) string // what this server can be asked for; nil: anything
	line         func(e *accesslog.Entry, stuff func() string) string
}

func jsonEscape(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// jsonTarget is what JSON makes of bytes that are no UTF-8.
func jsonTarget(s string) (target string) {
	if err := json.Unmarshal([]byte(jsonEscape(s)), &target); err != nil {
		panic(err)
	}
	return target
}

// hashEscape writes as HAProxy does, all of marks escaped.
func hashEscape(s, marks string) string {
	var out []byte
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || strings.IndexByte(marks, c) >= 0 {
			out = fmt.Appendf(out, "#%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

func percentEscape(s string) string {
	var out []byte
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c > 0x7e || strings.IndexByte(`"<>[\]^{|}%`+"`", c) >= 0 {
			out = fmt.Appendf(out, "%%%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// encoded and decode are for servers that log paths without their percent-encoding.
func encoded(s string) string { return strings.NewReplacer("%", "%25", "#", "%23").Replace(s) }
func decode(s string) string  { return strings.NewReplacer("%25", "%", "%23", "#").Replace(s) }

// noBreaks: HTTP itself lets no line end through, and these servers escape nothing.
func noBreaks(s string) string {
	return strings.NewReplacer("\n", "_", "\r", "_", "\x00", "_").Replace(s)
}

func noSpacesNorBreaks(s string) string {
	return strings.ReplaceAll(noSpaces(noBreaks(s)), "\t", "_")
}

func jsonLine(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%c%s:%s", ",{"[min(1, 1/(i+1))], jsonEscape(pairs[i]), pairs[i+1])
	}
	return b.String() + "}"
}

const clf = "03/Feb/2026:04:05:06 +0100"

var servers = []server{
	{"nginx, with the host", `$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time`, "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`%s 192.0.2.1 - u%s [%s] "%s" %03d 0 "%s" "%s" 0.1`, e.Host, nginxEscape(stuff()), clf,
				nginxEscape(e.Method+" "+e.Target+" "+e.Proto), e.Status, nginxEscape(stuff()), nginxEscape(stuff()))
		}},
	{"nginx, no quotes around the agent", `[$time_local] $status $host $http_user_agent "$request_uri" $request_method $server_protocol`, "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`[%s] %03d %s %s "%s" %s %s`, clf, e.Status, e.Host, nginxEscape(stuff()), nginxEscape(e.Target), e.Method, e.Proto)
		}},
	{"nginx, JSON", `escape=json {"t":"$time_local","a":"$http_user_agent","r":"$request","h":"$host","s":$status,"u":"$remote_user"}`, "", jsonTarget,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`{"t":"%s","a":%s,"r":%s,"h":%s,"s":%03d,"u":%s}`, clf, jsonEscape(stuff()), jsonEscape(e.Method+" "+e.Target+" "+e.Proto),
				jsonEscape(e.Host), e.Status, jsonEscape(stuff()))
		}},
	{"nginx, nothing escaped", `escape=none $status $request_method "$http_user_agent|$host|$request_uri"`, "", noBreaks, nil},
	{"Apache, with the host", `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %V`, "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`192.0.2.1 - u%s [%s] "%s" %03d 0 "%s" "%s" %s`, apacheEscape(stuff()), clf,
				apacheEscape(e.Method+" "+e.Target+" "+e.Proto), e.Status, apacheEscape(stuff()), apacheEscape(stuff()), e.Host)
		}},
	{"Apache, tabs", `%t\t%u\t%m\t%U%q\t%H\t%>s\t%{User-agent}i\t%V`, "", encoded,
		func(e *accesslog.Entry, stuff func() string) string {
			return strings.Join([]string{"[" + clf + "]", apacheEscape(stuff()), e.Method, apacheEscape(decode(e.Target)), e.Proto, fmt.Sprintf("%03d", e.Status),
				apacheEscape(stuff()), e.Host}, "\t")
		}},
	{"ALB", "alb", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`https 2026-02-03T03:05:06.000000Z app/x/5 192.0.2.1:1 - 0.1 0.1 -1 %03d - 1 2 "%s" "%s" - TLSv1.2 x "Root=1" "%s" "x" 0 2026-02-03T03:05:06.000000Z "x"`,
				e.Status, nginxEscape(e.Method+" https://"+e.Host+e.Target+" "+e.Proto), nginxEscape(stuff()), nginxEscape(stuff()))
		}},
	{"classic ELB", "elb", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`2026-02-03T03:05:06.000000Z x 192.0.2.1:1 - 0.1 0.1 -1 %03d 200 1 2 "%s" "%s" - -`,
				e.Status, nginxEscape(e.Method+" https://"+e.Host+e.Target+" "+e.Proto), nginxEscape(stuff()))
		}},
	{"S3", "s3", "", noSpacesNorBreaks,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`79a59df9 bucket [%s] 192.0.2.3 - 3E57 REST.GET.OBJECT key "%s" %03d - 113 - 7 - "%s" "%s" -`, clf,
				e.Method+" "+e.Target+" "+e.Proto, e.Status, noBreaks(stuff()), noBreaks(stuff()))
		}},
	{"HAProxy", "haproxy", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`Feb  3 04:05:06 host haproxy[1]: 192.0.2.1:2 [03/Feb/2026:03:05:06.000] f~ b/s 1/1/1/1/1 %03d 1 %s - ---- 1/1/1/1/0 0/0 {%s|} {%s} "%s"`,
				e.Status, cookie(stuff()), hashEscape(stuff(), `{|}"#`), hashEscape(stuff(), `{|}"#`), hashEscape(e.Method+" "+e.Target+" "+e.Proto, `"#`))
		}},
	{"Envoy", "envoy", "", noSpacesNorBreaks,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`[2026-02-03T03:05:06.000Z] "%s %s %s" %03d UF 0 0 1 - "%s" "%s" "%s" "%s" "10.0.2.1:80"`, e.Method, e.Target, e.Proto, e.Status,
				noBreaks(stuff()), noBreaks(stuff()), noBreaks(stuff()), e.Host)
		}},
	{"Caddy", "caddy", "", jsonTarget,
		func(e *accesslog.Entry, stuff func() string) string {
			return jsonLine("level", `"error"`, "ts", "1770087906.0", "request", jsonLine("proto", jsonEscape(e.Proto), "method", jsonEscape(e.Method), "host", jsonEscape(e.Host),
				"uri", jsonEscape(e.Target), "headers", jsonLine("User-Agent", "["+jsonEscape(stuff())+"]", "status", jsonEscape(stuff()))), "status", fmt.Sprint(e.Status),
				"resp_headers", jsonLine(stuff(), jsonEscape(stuff())))
		}},
	{"Traefik", "traefik-json", "", jsonTarget,
		func(e *accesslog.Entry, stuff func() string) string {
			return jsonLine("request_"+stuff(), jsonEscape(stuff()), "DownstreamStatus", fmt.Sprint(e.Status), "OriginStatus", "0", "RequestHost", jsonEscape(e.Host),
				"RequestMethod", jsonEscape(e.Method), "RequestPath", jsonEscape(e.Target), "RequestProtocol", jsonEscape(e.Proto), "StartUTC", `"2026-02-03T03:05:06Z"`)
		}},
	{"CloudFront", "w3c", "#Version: 1.0\n#Fields: date time x-edge-location cs-method cs-uri-stem sc-status cs(Referer) cs(User-Agent) x-host-header cs-protocol-version\n", percentEscape,
		func(e *accesslog.Entry, stuff func() string) string {
			return strings.Join([]string{"2026-02-03", "03:05:06", "FRA2", e.Method, strings.ReplaceAll(e.Target, "%", "%25"), fmt.Sprintf("%03d", e.Status),
				percentEscape(stuff()) + "-", percentEscape(stuff()) + "-", e.Host, e.Proto}, "\t")
		}},
	{"IIS", "w3c", "#Fields: date time cs-method cs-uri-stem cs(User-Agent) sc-status sc-substatus cs-host cs-version\n", func(s string) string {
		return encoded(strings.ReplaceAll(strings.ReplaceAll(noBreaks(s), "\t", "_"), "+", "_"))
	},
		func(e *accesslog.Entry, stuff func() string) string {
			return strings.Join([]string{"2026-02-03", "03:05:06", e.Method, strings.ReplaceAll(decode(e.Target), " ", "+"),
				"-" + strings.ReplaceAll(strings.ReplaceAll(noBreaks(stuff()), "\t", "_"), " ", "+"), fmt.Sprintf("%03d", e.Status), "0", e.Host, e.Proto}, " ")
		}},
	{"nginx in Docker", "docker:combined", "", jsonTarget,
		func(e *accesslog.Entry, stuff func() string) string {
			inside := fmt.Sprintf(`%s 192.0.2.1 - u%s [%s] "%s" %03d 0 "-" "%s"`, e.Host, apacheEscape(stuff()), clf,
				apacheEscape(e.Method+" "+e.Target+" "+e.Proto), e.Status, apacheEscape(stuff()))
			return jsonLine("log", jsonEscape(inside+"\n"), "stream", `"stdout"`, "time", `"2026-02-03T03:05:06Z"`)
		}},
	{"Apache in CRI", "cri:combined", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return "2026-02-03T03:05:06.000Z stdout F " + fmt.Sprintf(`%s 192.0.2.1 - u%s [%s] "%s" %03d 0 "-" "%s"`, e.Host, apacheEscape(stuff()), clf,
				apacheEscape(e.Method+" "+e.Target+" "+e.Proto), e.Status, apacheEscape(stuff()))
		}},
	{"JSON after a syslog header", "syslog:json", "", jsonTarget,
		func(e *accesslog.Entry, stuff func() string) string {
			return `<190>1 2026-02-03T03:05:06Z host nginx - - [x a="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(noBreaks(stuff())) + `"] ` +
				jsonLine("time", "1770087906000", "agent", jsonEscape(stuff()), "status", fmt.Sprint(e.Status), "uri", jsonEscape(e.Target), "method", jsonEscape(e.Method),
					"protocol", jsonEscape(e.Proto), "host", jsonEscape(e.Host))
		}},
}

// TestRegenerate: whatever clients put wherever they can, the fields of a line are those that the server was given; or, where servers do not escape all of it,
// it is a bad line, which says so.
func TestRegenerate(t *testing.T) {
	const seed = 2
	for _, s := range slices.Concat(servers, rawServers) {
		if s.line == nil {
			if _, err := accesslog.ParseFormat(s.format); err == nil {
				t.Errorf("%s: a format in which clients can forge is not refused", s.name)
			}
			continue
		}
		format, err := accesslog.ParseFormat(s.format)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		r := rand.New(rand.NewPCG(seed, 0))
		var log bytes.Buffer
		var want []accesslog.Entry
		log.WriteString(s.header)
		stuff := func() string { return hostile(r, "") }
		for range 2000 {
			e := accesslog.Entry{
				Method: []string{"GET", "POST", "M_SEARCH"}[r.IntN(3)], Target: hostile(r, "/") + "z", Proto: []string{"HTTP/1.1", "HTTP/1.0"}[r.IntN(2)],
				Host: []string{"www.example.org:8080", "h:1"}[r.IntN(2)], Status: 100 + r.IntN(900),
			}
			if s.target != nil {
				e.Target = s.target(e.Target)
			}
			want = append(want, e)
			log.WriteString(s.line(&e, stuff) + "\n")
		}
		all := collect(t, accesslog.NewScanner(&log, accesslog.Options{Status: everyStatus, Format: format}))
		if len(all) != len(want) {
			t.Errorf("%s: %d entries of %d", s.name, len(all), len(want))
			continue
		}
		lost := 0
		for i, o := range all {
			got := o.entry
			if o.isBad && o.bad.Reason == accesslog.Ambiguous && unescaped[s.name] {
				lost++
				continue
			}
			if o.isBad {
				t.Errorf("seed %d, %s, %d: %v: %q", seed, s.name, i, o.bad.Reason, o.raw)
				break
			}
			if want[i].Time = got.Time; !got.Time.Equal(when) {
				t.Errorf("seed %d, %s, %d: time %v", seed, s.name, i, got.Time)
				break
			}
			got.Scheme, got.ID, got.Line, got.Offset = "", accesslog.ID{}, 0, 0
			if s.format == "s3" || s.format == "haproxy" || s.format == "traefik" { // say no host
				want[i].Host = ""
			}
			if strings.HasSuffix(s.format, "common") { // a client's first column may say one
				want[i].Host, got.Host = "", ""
			}
			if got != want[i] {
				t.Errorf("seed %d, %s, %d:\n got %+v\nwant %+v", seed, s.name, i, got, want[i])
				break
			}
		}
		if lost > len(want)*19/20 {
			t.Errorf("%s: %d lines of %d are ambiguous", s.name, lost, len(want))
		}
	}
}

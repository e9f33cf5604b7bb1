package accesslog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

const usualFields = "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status\n"

// presetLogs are logs of one entry each, which is as in compareEntry unless something else is said. Each also goes into the fuzz corpus.
var presetLogs = []struct {
	name, format, log string
	entry             accesslog.Entry
}{
	{"W3C, the draft's", "w3c", "#Version: 1.0\n#Date: 12-Jan-1996 00:00:00\n#Fields: time cs-method cs-uri sc-status\n00:34:23 GET /a?b=c 503\n", accesslog.Entry{Proto: "-"}},
	{"IIS", "w3c", "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-02-03 03:05:06\n" +
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n" +
		"2026-02-03 03:05:06 ::1 GET /a b=c 443 - ::1 Mozilla/5.0+(X11;+\"x) - 503 0 0 12\n", accesslog.Entry{Time: when, Proto: "-"}},
	{"IIS, a space in the path, no query", "w3c", "#Fields: cs-method cs-uri-stem cs-uri-query sc-status sc-substatus cs-host cs-version\nGET /a+50% - 503 0 www.example.org:8080 HTTP/1.1\n",
		accesslog.Entry{Target: "/a 50%25", Host: "www.example.org:8080"}},
	{"CloudFront", "w3c", "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version\n" +
		"2026-02-03\t03:05:06\tFRA2\t335\t192.0.2.7\tGET\td1.cloudfront.net\t/a%2520%C3%A9\t503\t-\tMozilla/5.0%20(X11)\tb=%252F\t-\tError\tid==\twww.example.org\thttps\t123\t0.3\t-\tTLSv1.3\tx\tError\tHTTP/2.0\n",
		accesslog.Entry{Time: when, Target: "/a%20%C3%A9?b=%2F", Proto: "HTTP/2.0", Host: "www.example.org", Scheme: "https"}},
	{"W3C after a byte order mark", "w3c", "\ufeff#Fields: cs-method cs-uri sc-status\nGET /a?b=c 503\n", accesslog.Entry{Proto: "-"}},
	{"JSON after a byte order mark", "json", "\ufeff{\"method\":\"GET\",\"path\":\"/a?b=c\",\"status\":503}\n", accesslog.Entry{Proto: "-"}},
	{"W3C with values in quotes", "w3c", "#Fields: c-ip cs-method cs-uri sc-status cs(User-Agent) cs(Host)\n192.0.2.7  GET /a?b=c 503 \"a \"\"GET\"\" /x 200\" \"www.example.org\"\n",
		accesslog.Entry{Proto: "-", Host: "www.example.org"}},
	{"W3C, columns that change", "w3c", usualFields + "#Fields: sc-status cs-uri cs-method\n503 /a?b=c GET\n", accesslog.Entry{Proto: "-"}},

	{"ALB", "alb", `https 2026-02-03T03:05:06.000000Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 503 200 0 57 "GET https://www.example.org:443/a?b=c HTTP/1.1" "curl/7.46.0 \x22GET / HTTP/1.1\x22 200" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:x "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.org" "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_123456` + "\n",
		accesslog.Entry{Time: when, Host: "www.example.org:443", Scheme: "https"}},
	{"ALB, HTTP/2, no path", "alb", `h2 2026-02-03T03:05:06.000000Z app/x/5 [::1]:2817 - -1 -1 -1 503 - 0 57 "GET https://10.0.1.252:48160?x HTTP/2.0" "-" - - - "-" "-" "-" 0 2018-07-02T22:22:48.364000Z "-" "-" "-" "-" "-" "-" "-"` + "\n",
		accesslog.Entry{Time: when, Host: "10.0.1.252:48160", Scheme: "https", Target: "/?x", Proto: "HTTP/2.0"}},
	{"ALB, a malformed request", "alb", `http 2026-02-03T03:05:06.000000Z app/x/5 1.2.3.4:2817 - -1 -1 -1 503 - 0 57 "- http://x.example:80- -" "-" - - - "-"` + "\n",
		accesslog.Entry{Time: when, NoRequest: true}},
	{"classic ELB", "elb", `2026-02-03T03:05:06.000000Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 503 200 0 29 "GET http://www.example.org:80/a?b=c HTTP/1.1" "curl/7.38.0" - -` + "\n",
		accesslog.Entry{Time: when, Host: "www.example.org:80", Scheme: "http"}},
	{"S3", "s3", `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be awsexamplebucket1 [03/Feb/2026:03:05:06 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT a "GET /a?b=c HTTP/1.1" 503 - 113 - 7 - "-" "x" 200 "y" - id SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader awsexamplebucket1.s3.us-west-1.amazonaws.com TLSV1.2 - -` + "\n",
		accesslog.Entry{Time: when}},
	{"S3, a quote in the target", "s3", `79a5 bucket [03/Feb/2026:03:05:06 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a "GET /a"b HTTP/1.1" 503 - 113` + "\n", accesslog.Entry{Time: when, Target: `/a"b`}},
	{"S3, no request", "s3", `79a5 bucket [03/Feb/2026:03:05:06 +0000] - - 3E57 S3.EXPIRE.OBJECT a "-" 503 - 113` + "\n", accesslog.Entry{Time: when, NoRequest: true}},

	{"HAProxy", "haproxy", `Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [03/Feb/2026:03:05:06.000] http-in static/srv1 10/0/30/69/109 503 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /a?b=c HTTP/1.1"` + "\n",
		accesslog.Entry{Time: when}},
	{"HAProxy over TLS, HTTP/2", "haproxy", `<134>Feb 16 12:14:14 haproxy[14389]: 10.0.1.2:33317 [03/Feb/2026:03:05:06.000] http-in~ static/srv1 10/0/30/69/109 503 2750 - - ---- 1/1/1/1/0 0/0 "GET https://www.example.org/a?b=#22 HTTP/2.0" 0/0/0/0/0 www.example.org/TLSv1.3/x` + "\n",
		accesslog.Entry{Time: when, Target: `/a?b="`, Proto: "HTTP/2.0", Host: "www.example.org", Scheme: "https"}},
	{"HAProxy, RFC 5424", "haproxy", `<134>1 2026-02-03T04:05:06.000+01:00 host haproxy 14389 - [x@1 a="]\""][y] ` + "\ufeff" + `10.0.1.2:33317 [03/Feb/2026:03:05:06.000] http-in static/<NOSRV> -1/-1/-1/-1/0 503 2750 - - SC-- 1/1/1/1/0 0/0 "GET /a?b=c HTTP/1.1"` + "\n",
		accesslog.Entry{Time: when}},
	{"HAProxy, timed", "haproxy", `<6>2026-11-21T16:51:39.972147+00:00 10.0.1.2:33317 [03/Feb/2026:03:05:06.000] http-in static/<NOSRV> -1/-1/-1/-1/0 503 2750 - - SC-- 1/1/1/1/0 0/0 "GET /a?b=c HTTP/1.1"` + "\n",
		accesslog.Entry{Time: when}},
	{"HAProxy, short", "haproxy", `<6>10.0.1.2:33317 [03/Feb/2026:03:05:06.000] http-in static/<NOSRV> -1/-1/-1/-1/0 503 2750 - - SC-- 1/1/1/1/0 0/0 "GET /a?b=c HTTP/1.1"` + "\n",
		accesslog.Entry{Time: when}},
	{"HAProxy, by itself", "haproxy", `unix:1 [03/Feb/2026:03:05:06.000] http-in static/srv1 10/0/30/69/109 503 2750 c=GET /x 200 s=1 ---- 1/1/1/1/+0 0/0 {#22GET|200} "GET /a?b=c HTTP/1.1"` + "\n", accesslog.Entry{Time: when}},
	{"HAProxy, a server name with quotes", "haproxy", `1.2.3.4:5 [03/Feb/2026:03:05:06.000] f~ b/s 0/-1/-1/-1/0 503 73 - - LR-- 1/1/0/0/0 0/0 "GET /a?b=c HTTP/1.1" 0/0000000000000000/0/0/0 a "DELETE /forged HTTP/1.1" b/TLSv1.3/TLS_AES_256_GCM_SHA384` + "\n",
		accesslog.Entry{Time: when, Scheme: "https"}},
	{"HAProxy, httpslog, a cookie", "haproxy", `1.2.3.4:5 [03/Feb/2026:03:05:06.000] f~ b/s 0/-1/-1/-1/0 503 73 c=1 - LR-- 1/1/0/0/0 0/0 {} "GET /a?b=c HTTP/1.1" 0/0000000000000000/0/0/0 www.example.org/TLSv1.3/TLS_AES_256_GCM_SHA384` + "\n",
		accesslog.Entry{Time: when, Scheme: "https"}},
	{"HAProxy, journal", "haproxy", `2026-02-03T04:05:06+0100 host haproxy[1]: 1.2.3.4:5 [03/Feb/2026:03:05:06.000] f b/s -1/-1/-1/-1/0 400 2750 - - PR-- 1/1/1/1/0 0/0 "<BADREQ>"` + "\n",
		accesslog.Entry{Time: when, Status: 400, NoRequest: true}},

	{"Envoy", "envoy", `[2026-02-03T03:05:06.000Z] "GET /a?b="c HTTP/2" 503 UF,URX 154 0 226 - "10.0.35.28" "nsq2http" "cc21d9b0" "www.example.org" "tcp://10.0.2.1:80"` + "\n",
		accesslog.Entry{Time: when, Target: `/a?b="c`, Proto: "HTTP/2", Host: "www.example.org"}},
	{"Istio", "envoy", `[2026-02-03T03:05:06.000Z] "GET /a?b=c HTTP/1.1" 503 - via_upstream - "-" 0 135 4 4 "-" "curl " "x" 200 "cc21" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.6:1 10.44.1.27:80 10.44.1.23:2 outbound_.8000_._.httpbin default` + "\n",
		accesslog.Entry{Time: when, Host: "httpbin:8000"}},
	{"Envoy, TCP", "envoy", `[2026-02-03T03:05:06.000Z] "- - -" 0 UF 0 0 2 - "-" "-" "-" "-" "10.0.2.1:80"` + "\n", accesslog.Entry{Time: when, Status: -1, NoRequest: true}},
	{"Istio, JSON", "envoy-json", `{"authority":"httpbin:8000","bytes_received":0,"duration":1,"method":"GET","path":"/a?b=c","protocol":"HTTP/1.1","response_code":503,"response_flags":"-","start_time":"2026-02-03T03:05:06.000Z","upstream_service_time":null}` + "\n",
		accesslog.Entry{Time: when, Host: "httpbin:8000"}},
	{"Caddy", "caddy", `{"level":"info","ts":1770087906.0,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/a?b=c","headers":{"User-Agent":["\",\"status\":200}"],"method":["POST"]},"tls":{"resumed":false}},"bytes_read":0,"status":503,"resp_headers":{"status":["200"]}}` + "\n",
		accesslog.Entry{Time: when, Host: "localhost", Proto: "HTTP/2.0"}},
	{"Traefik, JSON", "traefik-json", `{"DownstreamStatus":503,"OriginStatus":200,"RequestHost":"www.example.org","RequestMethod":"GET","RequestPath":"/a?b=c","RequestProtocol":"HTTP/1.1","RequestScheme":"http","StartUTC":"2026-02-03T03:05:06.000000001Z","level":"info","msg":"","time":"x"}` + "\n",
		accesslog.Entry{Time: when.Add(1), Host: "www.example.org", Scheme: "http"}},
	{"JSON of any kind", "json", ` { "time" : "1770087906000" , "request" : "GET /a?b=c HTTP/1.1" , "status" : "503" , "more": [{"status":200},[]] } ` + "\n", accesslog.Entry{Time: when}},
	{"API Gateway", "json", `{"requestTime":"03/Feb/2026:03:05:06 +0000","httpMethod":"GET","path":"/a?b=c","status":"503","protocol":"HTTP/1.1"}` + "\n", accesslog.Entry{Time: when}},
	{"Cloudflare", "json", `{"ClientRequestHost":"h","ClientRequestMethod":"GET","ClientRequestURI":"/a?b=c","EdgeResponseStatus":503,"EdgeStartTimestamp":"2026-02-03T03:05:06Z","OriginResponseStatus":200}` + "\n",
		accesslog.Entry{Time: when, Proto: "-", Host: "h"}},
	{"Werkzeug", "extended", `192.0.2.7 - - [03/Feb/2026 03:05:06] "GET /a?b=c HTTP/1.1" 503 -` + "\n", accesslog.Entry{Time: when}},
	{"ECS", "json", `{"@timestamp":"2026-02-03T03:05:06Z","http":{"request":{"method":"GET"},"response":{"status_code":503},"version":"1.1"},"url":{"path":"/a","query":"b=c","domain":"h","scheme":"https"}}` + "\n",
		accesslog.Entry{Time: when, Host: "h", Scheme: "https", Proto: "-"}},
	{"a URL that the server wrote", "json", `{"method":"GET","url":"https://u@h:1/a?b=c","status":503}` + "\n", accesslog.Entry{Proto: "-", Host: "u@h:1", Scheme: "https"}},
	{"JSON, twice the same, and odd", "json", `{"status":503,"method":"GET","code":200,"code":404,"uri":"/\u0000\ud800\x22","method":"GET","status":503,"uri":null,"x":{"y":[1,-2.5e+3,true,null,"}"]}}` + "\n",
		accesslog.Entry{Target: "/\x00\uFFFD\"", Proto: "-"}},

	{"lograge", "logfmt", `method=GET path=/a?b=c format=html controller=X action=show status=503 duration=58.33 host=h` + "\n", accesslog.Entry{Proto: "-", Host: "h"}},
	{"lograge in Ruby's log", "logfmt", `I, [2026-02-03T03:05:06.123456 #123]  INFO -- : [8601b555] [x] method=GET path=/a?b=c status=503 time=2026-02-03T03:05:06Z` + "\n", accesslog.Entry{Time: when, Proto: "-"}},
	{"Heroku's router", "syslog:logfmt", `2026-02-03T03:05:06.123456+00:00 heroku[router]: at=error code=H12 desc="Request timeout" method=GET path="/a?b=c" host=www.example.org request_id=8601b555 fwd="192.0.2.7" dyno=web.1 connect=6ms service=30001ms status=503 bytes=0 protocol=https` + "\n",
		accesslog.Entry{Proto: "-", Host: "www.example.org", Scheme: "https"}},
	{"a logger of Go", "logfmt", `time=2026-02-03T03:05:06.000Z level=ERROR msg="it said \"no\" status=200" request="GET /a?b=c HTTP/1.1" status=503 ` + "\n", accesslog.Entry{Time: when}},
	{"combined with vhost", "vhost_combined", "www.example.org:443 " + prefix + `"GET /a?b=c HTTP/1.1" 503 19 "-" "-"` + "\n", accesslog.Entry{Time: when, Host: "www.example.org:443"}},
	{"Traefik, a quote in the query, backslashes", "traefik", `10.0.0.1, ::1 - u x [03/Feb/2026:03:05:06 +0000] "GET /a\x41?b={"c":1} HTTP/2.0" 503 19 "ref" "an "agent" - [x] "y" 2 "x@docker" "http://10.0.0.1:80" 12ms` + "\n",
		accesslog.Entry{Time: when, Target: `/a\x41?b={"c":1}`, Proto: "HTTP/2.0"}},
	{"Traefik", "traefik", `192.0.2.7 - - [03/Feb/2026:03:05:06 +0000] "GET /a?b=c HTTP/1.1" 503 19 "-" "-" 1 "x@docker" "http://10.0.0.1:80" 0ms` + "\n", accesslog.Entry{Time: when}},
	{"nginx-ingress", "nginx-ingress", `192.0.2.7 - - [03/Feb/2026:03:05:06 +0000] "GET /a?b=c HTTP/1.1" 503 19 "-" "-" 320 0.005 [default-x-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 1 0.001, 0.002 502, 200 c6b7` + "\n",
		accesslog.Entry{Time: when}},

	{"CRI", "cri:combined", `2026-02-03T03:05:06.669794202Z stdout F ` + prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "-"` + "\n", accesslog.Entry{Time: when}},
	{"CRI, the beginning of a line", "cri:combined", `2026-02-03T03:05:06.669794202Z stderr P ` + prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "-` + "\n", accesslog.Entry{Time: when}},
	{"CRI, the time outside", "cri:json", `2026-02-03T03:05:06Z stdout F:x {"method":"GET","path":"/a?b=c","status":503}` + "\n", accesslog.Entry{Time: when, Proto: "-"}},
	{"Docker", "docker:combined", `{"log":"192.0.2.7 - - [03/Feb/2026:04:05:06 +0100] \"GET /a?b=c HTTP/1.1\" 503 1 \"-\" \"-\"\n","stream":"stdout","time":"2026-02-03T03:05:06Z"}` + "\n", accesslog.Entry{Time: when}},
	{"Docker, JSON inside", "docker:json", `{"log":"{\"method\":\"GET\",\"path\":\"/a?b=c\\\"\",\"status\":503}\r\n","stream":"stdout","attrs":{"tag":"x"},"time":"2026-02-03T03:05:06Z"}` + "\n",
		accesslog.Entry{Time: when, Proto: "-", Target: `/a?b=c"`}},
	{"syslog around JSON", "syslog:json", `<190>Feb  3 04:05:06 host nginx: {"method":"GET","path":"/a?b=c","status":503}` + "\n", accesslog.Entry{Proto: "-"}},
	{"journal around Caddy", "syslog:caddy", `Feb 03 04:05:06 host caddy[12]: {"request":{"method":"GET","uri":"/a?b=c"},"status":503}` + "\n", accesslog.Entry{Proto: "-"}},
	{"syslog around the family", "extended", `<190>Feb  3 04:05:06 host nginx: ` + prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "-"` + "\n", accesslog.Entry{Time: when}},
}

// TestPresets: each log is recognised, read so, and read the same when its format is given by name.
func TestPresets(t *testing.T) {
	seen := map[string]bool{}
	for _, test := range presetLogs {
		seen[test.format] = true
		if d := accesslog.Detect([]byte(test.log)); d.Format.String() != test.format || d.Matched != 1 || d.Also != "" {
			t.Errorf("%s: detected as %v", test.name, d)
		}
		format, err := accesslog.ParseFormat(test.format)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for name, format := range map[string]accesslog.Format{"auto": accesslog.Auto, test.format: format} {
			name = test.name + " as " + name
			s := accesslog.NewScanner(strings.NewReader(test.log), accesslog.Options{Status: everyStatus, Format: format})
			all := collect(t, s)
			if len(all) != 1 || all[0].isBad {
				t.Errorf("%s: %+v", name, all)
				continue
			}
			got := all[0].entry
			if stats := s.Stats(); stats.Lines != 1+stats.Directives || got.Line != stats.Lines || got.ID == (accesslog.ID{}) {
				t.Errorf("%s: %+v in %+v", name, got, counts(stats))
			}
			got.ID, got.Line, got.Offset = accesslog.ID{}, 0, 0
			compareEntry(t, name, got, test.entry)
		}
	}
	for _, name := range accesslog.FormatNames() {
		if name != "auto" && name != "common" && name != "combined" && !seen[name] {
			t.Errorf("%s has no log here", name)
		}
	}
}

// TestPresetsMalformed: what no format may take for an entry.
func TestPresetsMalformed(t *testing.T) {
	for _, test := range []struct {
		name, format, log string
		reason            accesslog.Reason
	}{
		{"W3C without columns", "w3c", "GET / 500\n", accesslog.NoFields},
		{"W3C without a status", "w3c", "#Fields: cs-method cs-uri\nGET /\n", accesslog.NoFields},
		{"W3C without a method", "w3c", "#Fields: sc-status cs-uri\n500 /\n", accesslog.NoFields},
		{"W3C, a value more", "w3c", usualFields + "2026-02-03 03:05:06 GET /a b c 500\n", accesslog.Misfit},
		{"W3C, a value less", "w3c", usualFields + "2026-02-03 03:05:06 GET /a 500\n", accesslog.Misfit},
		{"W3C, no status", "w3c", usualFields + "2026-02-03 03:05:06 GET /a - x\n", accesslog.NoStatus},
		{"W3C, columns of no use after some that were", "w3c", usualFields + "#Fields: date\n2026-02-03\n", accesslog.NoFields},
		{"no directive", "w3c", usualFields + "# a comment\n", accesslog.Misfit},
		{"ALB, cut", "alb", `https 2026-02-03T03:05:06.000000Z app/x/5 1.2.3.4:1 - 0 0 0 503 - 0 57 "GET https://x:443/`, accesslog.RequestUnclosed},
		{"ALB, cut before", "alb", `https 2026-02-03T03:05:06.000000Z app/x/5 1.2.3.4:1 - 0 0 0 503 - 0 57`, accesslog.NoRequestField},
		{"HAProxy, cut", "haproxy", `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 503 1 - - ---- 1/1/1/1/0 0/0 "GET /x`, accesslog.RequestUnclosed},
		{"HAProxy, cut request", "haproxy", haproxyLine("GET /" + strings.Repeat("x", 1018)), accesslog.RequestCut},
		{"HAProxy, cut in the version", "haproxy", haproxyLine("GET /" + strings.Repeat("x", 1010) + " HTTP/1."), accesslog.RequestCut},
		{"HAProxy, cut after a cookie", "haproxy", `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 503 1 "GET - ---- 1/1/1/1/0 0/0 "GET /x`, accesslog.Ambiguous},
		{"HAProxy, a cookie with quotes", "haproxy", `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 200 1 c=a - ---- 1/1/1/1/0 0/0 "GET /forged HTTP/1.1" - ---- 1/1/1/1/0 0/0 "GET /x HTTP/1.1"`, accesslog.Ambiguous},
		{"HAProxy, such a cookie, and the line cut", "haproxy", `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 200 1 c=a - ---- 1/1/1/1/0 0/0 "GET /forged HTTP/1.1" - ---- 1/1/1/1/0 0/0 {xx`, accesslog.Ambiguous},
		{"HAProxy, a cookie and a server name with quotes", "haproxy", `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 200 1 c=a - ---- 1/1/1/1/0 0/0 "GET /x HTTP/1.1" 0/0/0/0/0 "x"/a/b`, accesslog.Ambiguous},
		{"HAProxy, a combined line with such a beginning", "haproxy", `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 503 1 - - ---- 1/1/1/1/0 0/0 - - [03/Feb/2026:03:05:06 +0000] "GET /x HTTP/1.1" 200 1 "-" "DELETE /forged HTTP/1.1"`, accesslog.Misfit},
		{"Traefik, a path over HTTP/2", "traefik", `1.2.3.4 - - [03/Feb/2026:03:05:06 +0000] "GET /x HTTP/2.0" 503 0 "-" "-" HTTP/2.0" 200 5 "-" "-" 3 "r@docker" "http://10.0.0.9:80" 3ms`, accesslog.Ambiguous},
		{"Traefik, a user name", "traefik", `1.2.3.4 - a [03/Feb/2026:03:05:06 +0000] "GET /forged HTTP/2.0" 503 0 "-" "-" [03/Feb/2026:03:05:06 +0000] "GET /x HTTP/1.1" 200 5 "-" "-" 3 "r@docker" "http://10.0.0.9:80" 3ms`, accesslog.Ambiguous},
		{"Traefik, an agent", "traefik", `1.2.3.4 - a [03/Feb/2026:03:05:06 +0000] "GET /x HTTP/2.0" 200 0 "-" "" [03/Feb/2026:03:05:06 +0000] "GET /forged" 3 "r@docker" "http://10.0.0.9:80" 3ms`, accesslog.Ambiguous},
		{"Envoy, a path of its own making", "envoy", `[2026-02-03T03:05:06.000Z] "GET /forged HTTP/1.1" 503 UF 0 HTTP/2" 200 - 0 0 1 - "-" "-" "-" "h" "10.0.2.1:80"`, accesslog.Ambiguous},
		{"Envoy, such a path without a protocol", "envoy", `[2026-02-03T03:05:06.000Z] "GET /forged -" 503 UF 0 HTTP/2" 200 - 0 0 1 - "-" "-" "-" "h" "10.0.2.1:80"`, accesslog.Ambiguous},
		{"Envoy, such a path with another one", "envoy", `[2026-02-03T03:05:06.000Z] "GET /forged x" 503 UF 0 HTTP/2" 200 - 0 0 1 - "-" "-" "-" "h" "10.0.2.1:80"`, accesslog.Ambiguous},
		{"IIS, tabs in the agent", "w3c", "#Fields: date time cs-method cs-uri sc-status sc-substatus cs(User-Agent)\n2026-02-03 03:05:06 GET /x 200 0 a\t+\tGET\t/forged\t503\t0\tx y\n", accesslog.Misfit},
		{"W3C, tabs in the agent", "w3c", "#Fields: date cs-method cs-uri sc-status cs(User-Agent)\n2026-02-03 GET /x 200 a\tGET\t/forged\t503\tx y\n", accesslog.Misfit},
		{"logfmt, the status twice", "logfmt", `method=GET path=/ status=200 agent=x status=503`, accesslog.Ambiguous},
		{"logfmt, two methods", "logfmt", `verb=GET path=/ status=200 agent=x method=DELETE`, accesslog.Ambiguous},
		{"logfmt, two statuses", "logfmt", `method=GET path=/ code=200 agent=x status=503`, accesslog.Ambiguous},
		{"logfmt, two requests", "logfmt", `request="GET / HTTP/1.1" status=503 agent=x method=GET path=/forged`, accesslog.Ambiguous},
		{"logfmt, a URL and a path", "logfmt", `url=http://h/x method=GET status=503 agent=x path=/forged`, accesslog.Ambiguous},
		{"logfmt, words", "logfmt", `method=GET path=/ agent=x y status=503`, accesslog.Ambiguous},
		{"logfmt, words before it", "logfmt", `no route for / method=GET path=/forged status=503`, accesslog.Misfit},
		{"logfmt, words in Ruby's log", "logfmt", `I, [2026-02-03T03:05:06.123456 #123]  INFO -- : no route for / method=GET path=/forged status=503`, accesslog.Misfit},
		{"logfmt, a quote", "logfmt", `method=GET path=/ status=200 agent=x" status=503`, accesslog.Ambiguous},
		{"logfmt, quotes", "logfmt", `method=GET path=/ status=200 agent="x"status=503`, accesslog.Ambiguous},
		{"logfmt, no status", "logfmt", `method=GET path=/`, accesslog.NoStatus},
		{"JSON, the status twice", "json", `{"status":200,"agent":"x","status":503,"method":"GET","path":"/"}`, accesslog.Ambiguous},
		{"HAProxy, TCP", "haproxy", `Feb  6 12:12:56 localhost haproxy[14387]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0`, accesslog.Misfit},
		{"JSON without a status", "json", `{"method":"GET","path":"/"}`, accesslog.NoStatus},
		{"JSON without a request", "json", `{"status":500}`, accesslog.NoRequestField},
		{"JSON, cut", "json", `{"method":"GET","path":"/","status":500`, accesslog.Misfit},
		{"JSON and more", "json", `{"method":"GET","path":"/","status":500} x`, accesslog.Misfit},
		{"JSON, a status that is none", "json", `{"method":"GET","path":"/","status":50}`, accesslog.NoStatus},
		{"JSON, a status that is an object", "json", `{"method":"GET","path":"/","status":{"code":500}}`, accesslog.NoStatus},
		{"Envoy, two quotes", "envoy", `[2026-02-03T03:05:06.000Z] "GET /a x HTTP/1.1" 503 - 1`, accesslog.Ambiguous},
		{"Envoy, cut", "envoy", `[2026-02-03T03:05:06.000Z] "GET /a`, accesslog.RequestUnclosed},
		{"CRI, later pieces", "cri:extended", "2026-02-03T03:05:06Z stdout P x\n2026-02-03T03:05:06Z stdout F " + prefix + "\"GET / HTTP/1.1\" 500 1\n", accesslog.Continued},
		{"CRI, without a line", "cri:extended", "2026-02-03T03:05:06Z stdout F \n", accesslog.Misfit},
		{"CRI, other tags", "cri:extended", "2026-02-03T03:05:06Z stdout X " + prefix + "\"GET / HTTP/1.1\" 500 1\n", accesslog.Misfit},
		{"Docker, later pieces", "docker:json", `{"log":"x","stream":"stdout","time":""}` + "\n" + `{"log":"{\"method\":\"GET\",\"path\":\"/\",\"status\":500}\n","stream":"stdout","time":""}`, accesslog.Continued},
	} {
		format, err := accesslog.ParseFormat(test.format)
		if err != nil {
			t.Fatal(err)
		}
		all := collect(t, accesslog.NewScanner(strings.NewReader(test.log), accesslog.Options{Status: everyStatus, Format: format}))
		if len(all) == 0 || !all[len(all)-1].isBad || all[len(all)-1].bad.Reason != test.reason {
			t.Errorf("%s: %+v; want %v", test.name, all, test.reason)
		}
	}
}

// TestPieces: one stream's pieces are not the other's.
func TestPieces(t *testing.T) {
	line := func(stream, tag, target string) string {
		return fmt.Sprintf("2026-02-03T03:05:06Z %s %s %s\"GET %s HTTP/1.1\" 500 1\n", stream, tag, prefix, target)
	}
	log := line("stdout", "P", "/1") + line("stderr", "F", "/2") + line("stdout", "P", "/forged") + line("stderr", "P", "/3") + line("stdout", "F", "/forged") +
		line("stderr", "F", "/forged") + line("stdout", "F", "/4")
	var got []string
	for _, o := range collect(t, accesslog.NewScanner(strings.NewReader(log), accesslog.Options{})) {
		if !o.isBad {
			got = append(got, o.entry.Target)
		} else if o.bad.Reason != accesslog.Continued {
			t.Errorf("%+v", o)
		}
	}
	if fmt.Sprint(got) != "[/1 /2 /3 /4]" {
		t.Errorf("entries %v", got)
	}
}

// TestStates: a file whose lines depend on the lines before them reads the same in whatever pieces it is shared out.
func TestStates(t *testing.T) {
	var w3c, cri strings.Builder
	for i := range 400 {
		switch {
		case i%57 == 0:
			w3c.WriteString("#Fields: cs-method cs-uri sc-status\n")
		case i%91 == 30:
			w3c.WriteString("#Fields: sc-status cs-uri cs-method\n")
		case i%131 == 100:
			w3c.WriteString("#Fields: cs-uri\n")
		case strings.LastIndex(w3c.String(), "#Fields: sc") > strings.LastIndex(w3c.String(), "#Fields: cs"):
			fmt.Fprintf(&w3c, "503 /%d GET\n", i)
		default:
			fmt.Fprintf(&w3c, "GET /%d 503\n", i)
		}
		fmt.Fprintf(&cri, "2026-02-03T03:05:06Z std%s %s %s\"GET /%d HTTP/1.1\" 500 1\n", []string{"out", "err"}[i*i%7%2], []string{"F", "P"}[i*i%11%2], prefix, i)
	}
	for name, log := range map[string]string{"w3c": w3c.String(), "cri:extended": cri.String()} {
		format, err := accesslog.ParseFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		opts := accesslog.Options{Status: everyStatus, Format: format, Workers: 3}
		stream := accesslog.NewScanner(strings.NewReader(log), opts)
		want := collect(t, stream)
		if stats := stream.Stats(); stats.Entries < 50 || stats.Malformed < 3 {
			t.Fatalf("%s: %+v", name, counts(stats))
		}
		for _, stride := range []int64{1, 7, 50, 333, 2000} {
			file := accesslog.NewReaderAtScanner(strings.NewReader(log), int64(len(log)), opts).Tune(64, stride, 100)
			got := collect(t, file)
			compare(t, fmt.Sprintf("%s, stride %d", name, stride), got, want)
			if file.Stats() != stream.Stats() {
				t.Errorf("%s, stride %d: %+v, want %+v", name, stride, counts(file.Stats()), counts(stream.Stats()))
			}
		}
	}
}

// TestMixed: lines of several formats in one log.
func TestMixed(t *testing.T) {
	jsonLine := `{"method":"GET","path":"/json","status":500}`
	family := prefix + `"GET /family HTTP/1.1" 500 1 "-" "-"`
	haproxy := `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 500 1 - - ---- 1/1/1/1/0 0/0 "GET /haproxy HTTP/1.1"`
	alb := `http 2026-02-03T03:05:06.000000Z x 1.2.3.4:1 - 0 0 0 500 - 0 57 "GET http://x:80/alb HTTP/1.1" "-"`
	sample := "starting\n" + strings.Repeat(jsonLine+"\n", 10) + strings.Repeat(family+"\n", 80) + strings.Repeat(haproxy+"\n", 9)
	s := accesslog.NewScanner(strings.NewReader(sample+strings.Repeat(family+"\n"+jsonLine+"\n"+alb+"\n", 100)), accesslog.Options{})
	if d := s.Detection(); d.String() != "combined (80 of 100 lines), json (10), haproxy (9)" {
		t.Errorf("detected as %v", d)
	}
	targets := map[string]int{}
	for _, o := range collect(t, s) {
		targets[o.entry.Target]++
	}
	if fmt.Sprint(targets) != "map[:101 /family:180 /haproxy:9 /json:110]" {
		t.Errorf("entries %v", targets)
	}
	only := accesslog.NewScanner(strings.NewReader(sample), accesslog.Options{Format: accesslog.JSON})
	collect(t, only)
	if n := only.Stats().Entries; n != 10 {
		t.Errorf("--format json reads %d lines", n)
	}
}

// TestSlowStream: of a stream whose lines come one by one, the first of them are recognised one by one.
func TestSlowStream(t *testing.T) {
	for _, test := range presetLogs {
		log := "starting\n" + test.log
		all := collect(t, accesslog.NewScanner(iotest.OneByteReader(strings.NewReader(log)), accesslog.Options{Status: everyStatus}))
		if len(all) != 2 || !all[0].isBad || all[1].isBad {
			t.Errorf("%s: %+v", test.name, all)
		}
	}
	late := strings.Repeat("starting\n", 200) + `{"method":"GET","path":"/","status":500}` + "\n" + prefix + `"GET / HTTP/1.1" 500 1` + "\n"
	s := accesslog.NewScanner(iotest.OneByteReader(strings.NewReader(late)), accesslog.Options{})
	collect(t, s)
	if stats := s.Stats(); stats.Malformed != 201 || stats.Entries != 1 {
		t.Errorf("after a hundred lines of nothing: %+v; only the family is read then", counts(stats))
	}
}

func TestParseJSON(t *testing.T) {
	for _, test := range []struct {
		keys map[string]string
		line string
		want accesslog.Entry
	}{
		{map[string]string{"method": "m", "target": `a\.b.c`, "status": "s", "host": "status", "time": "when", "proto": "p"},
			`{"m":"GET","a.b":{"c":"/a?b=c","d":1},"s":503,"status":"h","when":1770087906,"p":"HTTP/1.1"}`, accesslog.Entry{Time: when, Host: "h"}},
		{map[string]string{"request": "line"}, `{"line":"GET /a?b=c HTTP/1.1","path":"/x","method":"POST","status":503}`, accesslog.Entry{}},
		{map[string]string{"url": "u"}, `{"u":"http://h/a?b=c","uri":"/x","method":"GET","status":503}`, accesslog.Entry{Host: "h", Scheme: "http", Proto: "-"}},
		{map[string]string{"host": ""}, `{"host":"h","uri":"/a?b=c","method":"GET","status":503}`, accesslog.Entry{Proto: "-"}},
		{map[string]string{"target": "path", "query": "q"}, `{"path":"/a","q":"?b=c","method":"GET","status":503}`, accesslog.Entry{Proto: "-"}},
	} {
		format, err := accesslog.ParseJSON(test.keys)
		if err != nil {
			t.Errorf("%v: %v", test.keys, err)
			continue
		}
		got, err := format.Parse([]byte(test.line))
		if err != nil {
			t.Errorf("%v: %v", test.keys, err)
			continue
		}
		compareEntry(t, format.String(), got, test.want)
	}
	if _, err := accesslog.ParseJSON(map[string]string{"verb": "x"}); err == nil || !strings.Contains(err.Error(), `no field is called "verb"; the fields are host, method`) {
		t.Errorf("%v", err)
	}
}

// FuzzJSON: what encoding/json takes for an object is read as it reads it.
func FuzzJSON(f *testing.F) {
	for _, test := range presetLogs {
		f.Add([]byte(test.log))
	}
	f.Add([]byte(`{"method":"GET","uri":"/\ud83d\ude00\ud83d\u0000\/\b","status":503,"x":[[],{}]}`))
	format, err := accesslog.ParseJSON(map[string]string{"method": "method", "target": "uri", "status": "status", "host": "a.b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var want struct {
			Method any `json:"method"`
			URI    any `json:"uri"`
			Status any `json:"status"`
		}
		if json.Unmarshal(line, &want) != nil || bytes.ContainsRune(line, '\n') || !bytes.Equal(line, bytes.ToValidUTF8(line, nil)) {
			return
		}
		var exact map[string]any // encoding/json takes keys in any case into a struct
		if json.Unmarshal(line, &exact) != nil {
			return
		}
		method, ok1 := exact["method"].(string)
		uri, ok2 := exact["uri"].(string)
		status, ok3 := exact["status"].(float64)
		if !ok1 || !ok2 || !ok3 || status < 100 || status > 999 || status != float64(int(status)) || strings.ContainsAny(fmt.Sprint(status), "e.") ||
			bytes.Count(line, []byte("method")) > 1 || bytes.Count(line, []byte("uri")) > 1 || bytes.Count(line, []byte("status")) > 1 {
			return
		}
		if bytes.Contains(line, []byte{'\\', 'u', '0', '0', '6'}) || bytes.Contains(line, []byte{'\\', 'u', '0', '0', '7'}) || !bytes.Contains(line, fmt.Append(nil, int(status))) {
			return // escaped keys that are these keys, again; a number that is written otherwise
		}
		got, err := format.Parse(line)
		var bad *accesslog.BadLine
		if errors.As(err, &bad) {
			t.Fatalf("%s: %v", line, err)
		}
		if got.NoRequest {
			return
		}
		if got.Method != method || got.Target != uri && !strings.HasPrefix(got.Target, uri+"?") || got.Status != int(status) {
			t.Fatalf("%s: %+v", line, got)
		}
	})
}

// FuzzFormats: no format panics, whatever the format string is, and what is read in pieces is what is read as a whole.
func FuzzFormats(f *testing.F) {
	for _, test := range presetLogs {
		f.Add([]byte(test.log+test.log), uint8(9), test.format)
	}
	for _, test := range formatStrings {
		f.Add([]byte(test.line+"\n"), uint8(3), test.format)
	}
	f.Fuzz(func(t *testing.T, log []byte, step uint8, text string) {
		format, err := accesslog.ParseFormat(text)
		if err != nil {
			return
		}
		opts := accesslog.Options{Format: format, Status: everyStatus, MaxLineBytes: 1000, Workers: 2}
		stream := accesslog.NewScanner(bytes.NewReader(log), opts)
		want := collect(t, stream)
		stats := stream.Stats()
		if stats.Lines != stats.Entries+stats.NoRequest+stats.Malformed+stats.TooLong+stats.Empty+stats.Directives {
			t.Fatalf("%v: %+v", format, counts(stats))
		}
		if format == accesslog.Auto { // a smaller sample may look like something else
			return
		}
		file := accesslog.NewReaderAtScanner(bytes.NewReader(log), int64(len(log)), opts).Tune(1+int(step)/3, 1+int64(step), 1)
		all := collect(t, file)
		if len(all) != len(want) {
			t.Fatalf("%v: %d outcomes in pieces, %d as a whole", format, len(all), len(want))
		}
		for i := range all {
			all[i].bad.Raw, want[i].bad.Raw = nil, nil
			if fmt.Sprint(all[i]) != fmt.Sprint(want[i]) {
				t.Fatalf("%v:\n%+v in pieces\n%+v as a whole", format, all[i], want[i])
			}
		}
		if file.Stats() != stats {
			t.Fatalf("%v: %+v in pieces, %+v as a whole", format, counts(file.Stats()), counts(stats))
		}
	})
}

func haproxyLine(request string) string {
	return `1.2.3.4:1 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 503 1 - - ---- 1/1/1/1/0 0/0 "` + request + `"`
}

// TestHAProxy_long: requests that are as long as HAProxy logs them, or longer where it was told to, are whole if they end with a version.
func TestHAProxy_long(t *testing.T) {
	format, err := accesslog.ParseFormat("haproxy")
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{1, 1009, 1010, 5000} {
		target := "/" + strings.Repeat("x", length)
		e, err := format.Parse([]byte(haproxyLine("GET " + target + " HTTP/1.1")))
		if err != nil || e.Target != target {
			t.Errorf("%d bytes: %v, %.50q", length, err, e.Target)
		}
	}
}

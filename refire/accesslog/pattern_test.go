package accesslog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

const combinedNginx = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`

// formatStrings, each with a line and what it says. The method is GET, the target /a?b=c, the protocol HTTP/1.1, the status 503 unless something else is said.
var formatStrings = []struct {
	name, format, line string
	entry              accesslog.Entry // what differs from the usual
}{
	{"combined", combinedNginx, prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "-"`, accesslog.Entry{Time: when}},
	{"combined of Apache", `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`, prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "-"`, accesslog.Entry{Time: when}},
	{"in a configuration file's quotes", `"%h %l %u %t \"%r\" %>s %b"`, prefix + `"GET /a?b=c HTTP/1.1" 503 1`, accesslog.Entry{Time: when}},
	{"with the host, which the fast path does not know", `%v:%p %h %l %u %t "%r" %>s %b`, `www.example.org:8443 ` + prefix + `"GET /a?b=c HTTP/1.1" 503 1`,
		accesslog.Entry{Time: when, Host: "www.example.org:8443"}},
	{"canonical port", `%v:%{canonical}p "%r" %s`, `h:80 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Host: "h:80"}},
	{"an agent that stands where the fast path looks for the request", `[$pid] "$http_user_agent" [$time_local] "$request" $status`,
		`[1] "GET /forged HTTP/1.1" [03/Feb/2026:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"a user that makes a referer stand there", `%u "%{Referer}i" %D %t "%r" %>s`, `a] "GET /forged HTTP/1.1" 500 [03/Feb/2026:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 503`,
		accesslog.Entry{Time: when}},
	{"tabs", `%t\t%m\t%U%q\t%H\t%>s`, "[03/Feb/2026:04:05:06 +0100]\tGET\t/a?b=c\tHTTP/1.1\t503", accesslog.Entry{Time: when}},
	{"the final status", `%s "%r" %>s`, `301 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{}},
	{"status of the original request", `"%<r" %<s`, `"GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{}},
	{"status lists", `%!200,304{Referer}i %500,503{User-agent}i "%r" %>s`, `http://x/ some agent "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{}},
	{"all kinds of directives", `%a %{c}a %A %B %b %{X}C %D %{X}e %f %h %H %{X}i %k %l %{X}n %{X}o %p %{remote}p %P %{tid}P %q %R %T %{ms}T %u %X %I %O %S %{X}^ti %{X}^to %L %% "%r" %>s`,
		`1.2.3.4 1.2.3.4 1.2.3.4 5 5 cookie 17 - /f h HTTP/1.1 - 0 - - - 80 12345 99 98 ?b=c handler 0 3 user + 10 20 30 - - - % "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{}},
	{"path and query apart", `%m "%U" "%q" %H %>s`, `GET "/a" "?b=c" HTTP/1.1 503`, accesslog.Entry{}},
	{"a path that the server decoded", `%m "%U" "%q" %H %>s`, `GET "/50% #1?" "?b=%20" HTTP/1.1 503`, accesslog.Entry{Target: "/50%25 %231%3F?b=%20"}},
	{"a path that the server decoded, and its query", `"$uri$is_args$args" $request_method $status`, `"/50% #1?b=%20?#" GET 503`, accesslog.Entry{Target: "/50%25 %231?b=%20?#", Proto: "-"}},
	{"a query that is a dash", `%m "%U" "%q" %H %>s`, `GET "/a" "?-" HTTP/1.1 503`, accesslog.Entry{Target: "/a?-"}},
	{"no query", `%m "%U" "%q" %H %>s`, `GET "/a" "" HTTP/1.1 503`, accesslog.Entry{Target: "/a"}},
	{"seconds", `%{sec}t "%r" %>s`, `1770087906 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"milliseconds", `%{msec}t "%r" %>s`, `1770087906000 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"microseconds", `%{begin:usec}t "%r" %>s`, `1770087906000000 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"strftime", `%{%Y-%m-%d %H:%M:%S %z}t "%r" %>s`, `2026-02-03 04:05:06 +0100 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"seconds by strftime", `%{%s}t "%r" %>s`, `1770087906 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"time in three pieces", `[%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t] "%r" %>s`, `[03/Feb/2026 04:05:06.000 +0100] "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{Time: when}},
	{"a time that is not read", `%{%G-%V}t "%r" %>s`, `2026-06 "GET /a?b=c HTTP/1.1" 503`, accesslog.Entry{}},

	{"nginx, all apart", `$msec|$request_method|$scheme://$host:$server_port$request_uri|$server_protocol|$status`,
		`1770087906.000|GET|https://www.example.org:444/a?b=c|HTTP/1.1|503`, accesslog.Entry{Time: when, Host: "www.example.org:444", Scheme: "https"}},
	{"nginx, host and target", `"$host$request_uri" $request_method $status`, `"www.example.org/a?b=c" GET 503`, accesslog.Entry{Host: "www.example.org", Proto: "-"}},
	{"nginx, arguments", `$time_iso8601 "$uri$is_args$args" ${request_method} $status`, `2026-02-03T04:05:06+01:00 "/a?b=c" GET 503`, accesslog.Entry{Time: when, Proto: "-"}},
	{"nginx, no arguments", `$time_iso8601 "$uri$is_args$args" $request_method $status`, `2026-02-03T04:05:06+01:00 "/a-" GET 503`, accesslog.Entry{Time: when, Proto: "-", Target: "/a"}},
	{"nginx, no arguments behind the question mark", `"$uri?$args" $request_method $status`, `"/a?-" GET 503`, accesslog.Entry{Proto: "-", Target: "/a"}},
	{"nginx, arguments apart", `"$uri" "$args" $request_method $status`, `"/a" "b=c" GET 503`, accesslog.Entry{Proto: "-"}},
	{"nginx, the upstream's status is not the client's", `"$request" $upstream_status $status`, `"GET /a?b=c HTTP/1.1" 502, 200 503`, accesslog.Entry{}},
	{"nginx, JSON", `escape=json '{"t":"$time_iso8601","h":"$http_host","r":"$request","s":$status,"a":"$http_user_agent"}'`,
		`{"t":"2026-02-03T04:05:06+01:00","h":"h","r":"GET /a?b=c HTTP/1.1","s":503,"a":"x"}`, accesslog.Entry{Time: when, Host: "h"}},
	{"nginx, JSON escapes", `escape=json {"r":"$request","s":$status}`, `{"r":"GET /\"\\\u0000\u00e9\ud83d\ude00\ud83d HTTP/1.1","s":503}`,
		accesslog.Entry{Target: "/\"\\\x00\u00e9\U0001F600\uFFFD"}},
	{"nginx, no escapes", `escape=none "$request_method $request_uri" $status`, `"GET /"\x22 503" 503`, accesslog.Entry{Target: `/"\x22 503`, Proto: "-"}},
	{"a cut user agent", `$server_name ` + combinedNginx, `h ` + prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "Mozil`, accesslog.Entry{Host: "h", Time: when}},
	{"the host, cut off", combinedNginx + ` "$host"`, prefix + `"GET /a?b=c HTTP/1.1" 503 1 "-" "Mozil`, accesslog.Entry{Time: when}},
	{"user name with everything", `$server_name ` + combinedNginx, `h 192.0.2.7 - a - [x] [03/Feb/2026:04:05:06 +0100] GET / 500 [03/Feb/2026:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 503 1 "-" "x"`,
		accesslog.Entry{Host: "h", Time: when}},
	{"an agent without quotes, first", `$http_user_agent $request_method $status "$request_uri"`, `x POST 200 GET 503 "/a?b=c"`, accesslog.Entry{Proto: "-"}},
	{"an agent without quotes, last", `"$request" $status $http_user_agent`, `"GET /a?b=c HTTP/1.1" 503 x "GET / HTTP/1.1" 200`, accesslog.Entry{}},
	{"an agent without quotes, between", `$status $http_user_agent $request_method "$request_uri"`, `503 x GET /y GET "/a?b=c"`, accesslog.Entry{Proto: "-"}},
	{"a target without quotes", `$status $request_method $request_uri $server_protocol`, `503 GET /a b c HTTP/1.1`, accesslog.Entry{Target: "/a b c"}},
	{"a request without quotes", `$remote_addr $request $status`, `1.2.3.4 GET /a 200 HTTP/1.1 503`, accesslog.Entry{Target: "/a 200"}},
	{"nothing requested", `$server_name "$request" $status`, `h "-" 408`, accesslog.Entry{Host: "h", Status: 408, NoRequest: true}},
	{"no status", `$server_name "$request" $status`, `h "GET /a?b=c HTTP/1.1" -`, accesslog.Entry{Host: "h", Status: -1}},
}

func TestFormatStrings(t *testing.T) {
	for _, test := range formatStrings {
		format, err := accesslog.ParseFormat(test.format)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got, err := format.Parse([]byte(test.line + "\r\n"))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		compareEntry(t, test.name, got, test.entry)
	}
}

// compareEntry fills in what is usual.
func compareEntry(t *testing.T, name string, got, want accesslog.Entry) {
	t.Helper()
	if !want.NoRequest {
		want.Method, want.Target, want.Proto = or(want.Method, "GET"), or(want.Target, "/a?b=c"), or(want.Proto, "HTTP/1.1")
	}
	want.Proto = strings.TrimPrefix(want.Proto, "-")
	switch want.Status {
	case 0:
		want.Status = 503
	case -1:
		want.Status = 0
	}
	if !got.Time.Equal(want.Time) {
		t.Errorf("%s: time %v, want %v", name, got.Time, want.Time)
	}
	got.Time, want.Time = time.Time{}, time.Time{}
	if got != want {
		t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestFormatStringsRefused(t *testing.T) {
	for _, test := range []struct{ format, says string }{
		{`$remote_addr`, "no status"},
		{`$status`, `no request: nginx's "$request"`},
		{`%h %l %u %t "%r" %b`, "no status: nginx's $status, Apache's %>s"},
		{`%>s %m`, "no target"},
		{`%>s %U%q`, "no method"},
		{`$status $request_method $uri$http_user_agent x`, "nothing stands between $uri and $http_user_agent"},
		{`${status`, "no closing brace"},
		{`$status $ x $request`, "a $ without the name of a variable"},
		{`%{x`, "no closing brace"},
		{`%r %>`, "ends within a directive"},
		{`escape=xml $request $status`, "escape=xml is unknown"},
		{`$http_user_agent $request $status`, `$request cannot be told from what stands beside it`},
		{`$http_user_agent $request_method $http_referer $request_uri $status`, `$request_method cannot be told`},
		{`escape=none "$http_user_agent" "$request" $status`, `$request cannot be told`},
		{`escape=none "$http_user_agent" $status "$request"`, `$status cannot be told`},
		{`%{User-agent}i %>s %{Referer}i "%r"`, `%>s cannot be told`},
	} {
		_, err := accesslog.ParseFormat(test.format)
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "accesslog: format ") {
			t.Errorf("%s: %v; it should say %q", test.format, err, test.says)
		}
	}
}

// TestFormatStringsMalformed: a line that does not fit is no entry.
func TestFormatStringsMalformed(t *testing.T) {
	for _, test := range []struct {
		format, line string
		reason       accesslog.Reason
	}{
		{`h $request_method "$request_uri" $status`, `g GET "/" 500`, accesslog.Misfit},
		{`h $request_method "$request_uri" $status`, ``, accesslog.Misfit},
		{`h $request_method "$request_uri" $status`, `h GET "/`, accesslog.Misfit},
		{`h $request_method "$request_uri" $status`, `h GET "/" 50`, accesslog.NoStatus},
		{`h $request_method "$request_uri" $status`, `h GET "/" 500 7`, accesslog.NoStatus},
		{`$server_name "$request" $status x`, `h "GET /" 5000 x`, accesslog.NoStatus},
		{`$server_name "$request" $status`, `h "GET /"500`, accesslog.Misfit},
	} {
		format, err := accesslog.ParseFormat(test.format)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := format.Parse([]byte(test.line))
		if bad, ok := err.(*accesslog.BadLine); !ok || bad.Reason != test.reason {
			t.Errorf("%s: %q: %+v, %v; want %v", test.format, test.line, entry, err, test.reason)
		}
	}
}

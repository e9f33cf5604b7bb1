package accesslog_test

import (
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// TestDetect_errorLog: it is told what it is, for no --format would read it. An access log never is one.
func TestDetect_errorLog(t *testing.T) {
	for text, want := range map[string]string{
		"2026/11/21 19:00:00 [error] 8933#8933: *3 connect() failed (111: Connection refused), request: \"GET /dead HTTP/1.1\"\n": "nginx's error log",
		"\n2026/11/21 19:00:00 [warn] 7#7: x":                                                      "nginx's error log",
		"[Sat Nov 21 19:00:00.123456 2026] [mpm_event:notice] [pid 1:tid 2] AH00489: configured\n": "Apache's error log",
		"[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server: /export\n": "Apache's error log",
		"[Sat Nov  7 19:00:00 2026] [core:error] x\n":                                              "Apache's error log",
		"2026/11/21 19:00:00 worker started\n":                                                     "",
		"2026/13/21 19:00:00 [error] 8933#8933: x\n":                                               "",
		"[error] [client 127.0.0.1] x\n":                                                           "",
		"[Sat Nov 21 19:00:00 2026] started\n":                                                     "",
		`192.0.2.1 - - [21/Nov/2026:19:00:00 +0000] "GET /[error] HTTP/1.1" 503 0` + "\n":          "",
	} {
		d := accesslog.Detect([]byte(text))
		if d.Looks != want || accesslog.IsErrorLog(d.Looks) != (want != "") {
			t.Errorf("%q looks like %q, want %q", text, d.Looks, want)
		}
	}
}

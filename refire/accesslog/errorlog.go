package accesslog

import (
	"bytes"
	"time"
)

// What the error logs of the two servers are called; they lie beside the access logs, so that one is easily named for the other.
const (
	nginxErrorLog  = "nginx's error log"
	apacheErrorLog = "Apache's error log"
)

// IsErrorLog reports whether a Detection's Looks is that of a server's error log: no format reads it, and the access log is another file.
func IsErrorLog(looks string) bool { return looks == nginxErrorLog || looks == apacheErrorLog }

// errorLog names the error log that head begins as; empty: none that is known.
//
// nginx (src/core/ngx_log.c): "2006/01/02 15:04:05 [error] 7#7: ". Apache (the documentation of ErrorLogFormat): "[Mon Jan 02 15:04:05.000000 2006]
// [module:level] [pid 7:tid 8] "; before 2.4 it was "[Mon Jan 02 15:04:05 2006] [level] ".
func errorLog(head []byte) string {
	const nginx, apache = "2006/01/02 15:04:05", "Mon Jan _2 15:04:05 2006"
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	if len(line) > len(nginx) && bytes.HasPrefix(line[len(nginx):], []byte(" [")) {
		if _, err := time.Parse(nginx, string(line[:len(nginx)])); err == nil {
			return nginxErrorLog
		}
	}
	if at, rest, ok := bytes.Cut(line, []byte("] [")); ok && len(at) < 40 && bytes.HasPrefix(at, []byte{'['}) && bytes.IndexByte(rest, ']') > 0 {
		if _, err := time.Parse(apache, string(at[1:])); err == nil { // with a fraction, too
			return apacheErrorLog
		}
	}
	return ""
}

package accesslog

import (
	"bytes"
	"regexp"
)

// traefik is the grammar of Traefik's access log format "common" (Traefik documentation, "Access Logs", "Format"; CommonLogFormatter in
// pkg/middlewares/accesslog/logger_formatters.go):
//
//	host - user [time] "method path protocol" status size "referer" "agent" requests "router" "server" 3ms
//
// Traefik escapes nothing, and a client chooses the host (X-Forwarded-For, where Traefik trusts it), the user (of the URL in the request line), the
// path (Go's server takes quotes there, over HTTP/2 spaces too), the referer and the agent. What it has written for sure is in each line: a time with the
// quote of the request behind it, and a protocol with a status, a size and a quote behind it. A line that has one of these twice is Ambiguous. Against a
// line break in a user's name nothing helps: the format "json" has none.
type traefik struct{}

var (
	traefikOpen   = regexp.MustCompile(` \[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [-+]\d{4}|-)\] "`)
	traefikClose  = regexp.MustCompile(` HTTP/\d(?:\.\d)?"`)
	traefikStatus = regexp.MustCompile(`^ (\d{3}|0|-) (?:\d+|-) "`)
	traefikTail   = regexp.MustCompile(`" (?:\d+|-) "[^"]*" "[^"]*" \d+ms$`)
)

func (traefik) read(line []byte, f *fields) Reason {
	if !bytes.HasSuffix(line, []byte("ms")) || !traefikTail.Match(line) {
		return Misfit
	}
	opens := traefikOpen.FindAllSubmatchIndex(line, -1)
	if len(opens) == 0 || !bytes.Contains(line[:opens[len(opens)-1][0]], []byte(" - ")) {
		return Misfit
	}
	request := line[opens[0][1]:]
	closes := 0
	for _, at := range traefikClose.FindAllIndex(line, -1) {
		if status := traefikStatus.FindSubmatch(line[at[1]:]); status != nil {
			request = line[opens[0][1]:max(opens[0][1], at[1]-len(`"`))]
			f.status, _ = statusOf(status[1])
			closes++
		}
	}
	if len(opens) > 1 || closes != 1 || len(request) == 0 {
		return Ambiguous
	}
	f.time, f.undo, f.request = line[opens[0][2]:opens[0][3]], plain, request
	return 0
}

package accesslog

import "bytes"

// balancer is the grammar of Elastic Load Balancing's access logs (User Guide for Application Load Balancers, "Access log entries"; User Guide for
// Classic Load Balancers, "Access log entries"): values between single spaces, with quotes around those that clients choose, and quotes in
// these written \x22. Before the request stands nothing that a client can choose.
//
//	ALB      type time elb client target 3 times elb_status_code target_status_code 2 sizes "request" "user agent" ...
//	classic       time elb client backend 3 times elb_status_code backend_status_code 2 sizes "request" "user agent" ...
//
// The status is the one that the client got (elb_status_code). The request is written with scheme, host and port, whatever the client had
// sent. A malformed one is written "- http://host:port- -": no request.
type balancer struct{ classic bool }

func (g balancer) read(line []byte, f *fields) Reason {
	var word []byte
	rest := line
	if !g.classic {
		if word, rest, _ = bytes.Cut(rest, []byte{' '}); !isBalancerType(word) {
			return Misfit
		}
	}
	if f.time, rest, _ = bytes.Cut(rest, []byte{' '}); len(f.time) < len("2006-01-02T15:04:05Z") || f.time[10] != 'T' {
		return Misfit
	}
	const columns = 10 // until the request
	for i := range columns {
		if word, rest, _ = bytes.Cut(rest, []byte{' '}); len(word) == 0 || word[0] == '"' {
			return Misfit
		}
		if i == 6 {
			var ok bool
			if f.status, ok = statusOf(word); !ok {
				return NoStatus
			}
		}
	}
	if len(rest) == 0 || rest[0] != '"' {
		return NoRequestField
	}
	shut := findQuote(rest, 1)
	if shut < 0 {
		return RequestUnclosed
	}
	f.request, f.composed = rest[1:shut], true
	return 0
}

func isBalancerType(b []byte) bool {
	switch string(b) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
		return true
	}
	return false
}

// s3 is the grammar of Amazon S3's server access logs (Amazon S3 User Guide, "Amazon S3 server access log format"):
//
//	owner bucket [time] address requester id operation key "request" status ...
//
// Keys are percent-encoded. Quotes in the request are not escaped, but it holds no spaces beside the two between its parts (see cutSpaced). What operations of S3
// itself write ("-") is no request.
type s3 struct{}

func (s3) read(line []byte, f *fields) Reason {
	rest := line
	for range 2 {
		var word []byte
		if word, rest, _ = bytes.Cut(rest, []byte{' '}); len(word) == 0 || !isToken(word) {
			return Misfit
		}
	}
	if len(rest) == 0 || rest[0] != '[' {
		return Misfit
	}
	var found bool
	if f.time, rest, found = bytes.Cut(rest[1:], []byte("] ")); !found {
		return Misfit
	}
	for i := range 5 {
		var word []byte
		if word, rest, _ = bytes.Cut(rest, []byte{' '}); len(word) == 0 || word[0] == '"' || i == 3 && bytes.IndexByte(word, '.') < 0 {
			return Misfit
		}
	}
	f.undo = plain
	if after, ok := bytes.CutPrefix(rest, []byte(`- `)); ok { // not a request, and no quotes
		rest, f.request = after, []byte{'-'}
	} else {
		var why Reason
		if rest, why = cutSpaced(rest, f); why != 0 {
			return why
		}
		rest = bytes.TrimPrefix(rest, []byte{' '})
	}
	word, _, _ := bytes.Cut(rest, []byte{' '})
	var ok bool
	if f.status, ok = statusOf(word); !ok {
		return NoStatus
	}
	return 0
}

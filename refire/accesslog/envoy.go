package accesslog

import "bytes"

// envoy is the grammar of Envoy's default text format (Envoy documentation, "Access logging", "Default format string"), and of Istio's, which puts more
// fields between and behind the same ones (Istio documentation, "Envoy Access Logs", "Default access log format"):
//
//	[time] "method path protocol" status flags ... "x-forwarded-for" "user agent" "request id" "authority" "upstream" ...
//
// Envoy escapes nothing. A path holds no spaces, so the request is read by its spaces, and no quote in it can end it early (see cutSpaced). The authority is
// the last string in quotes but one: after it comes nothing that a client wrote. A response that was never sent has the status 0.
type envoy struct{}

func (envoy) read(line []byte, f *fields) Reason {
	if len(line) < len("[2006-01-02T15:04:05") || line[0] != '[' || line[11] != 'T' {
		return Misfit
	}
	when, rest, found := bytes.Cut(line[1:], []byte("] "))
	if !found {
		return Misfit
	}
	rest, why := cutSpaced(rest, f)
	if why != 0 {
		return why
	}
	var ok bool
	status, rest, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte{' '}), []byte{' '})
	if f.status, ok = statusOf(status); !ok {
		return NoStatus
	}
	flags, rest, _ := bytes.Cut(rest, []byte{' '})
	if !isFlags(flags) {
		return Misfit
	}
	f.time, f.undo = when, plain
	f.host = authority(rest)
	return 0
}

// isFlags: "-", or codes such as "UF,URX".
func isFlags(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != ',' {
			return isNone(b)
		}
	}
	return len(b) > 0
}

// authority finds the last string in quotes but one.
func authority(b []byte) []byte {
	shut := bytes.LastIndexByte(b, '"')
	if shut < 0 {
		return nil
	}
	b = b[:max(0, bytes.LastIndexByte(b[:shut], '"'))]
	b, ok := bytes.CutSuffix(b, []byte(`" `))
	if !ok {
		return nil
	}
	return b[bytes.LastIndexByte(b, '"')+1:]
}

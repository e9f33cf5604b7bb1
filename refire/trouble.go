package refire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Trouble is why no (whole) answer came.
type Trouble uint8

// The troubles. Their names stand in retry logs and must not change.
const (
	NoTrouble Trouble = iota
	Refused           // nobody listens there
	Timeout           // no whole answer in time
	Reset             // the connection was cut
	Closed            // the connection was closed without an answer
	Cut               // the answer began, and broke off
	Garbage           // what came is not HTTP
	BadTLS            // the handshake failed
	NoRoute           // the network cannot reach it
	AtProxy           // it did not get past the proxy
	Other
	Unknown // it was announced, and the run was stopped before it had an outcome: see Announcer
)

var troubleNames = [...]string{"", "refused", "timeout", "reset", "closed", "cut", "garbage", "tls", "no route", "proxy", "other", "unknown"}

var troubleWords = [...]string{
	"", "connection refused", "no answer in time", "connection reset", "closed without an answer", "answer broke off", "answer is not HTTP",
	"TLS handshake failed", "no route to the host", "stopped at the proxy", "other trouble", "fired, outcome unknown",
}

// String is the trouble's name in retry logs.
func (t Trouble) String() string { return troubleNames[min(int(t), len(troubleNames)-1)] }

// Words says it for people.
func (t Trouble) Words() string { return troubleWords[min(int(t), len(troubleWords)-1)] }

func parseTrouble(name string) Trouble {
	for t, known := range troubleNames[1:] {
		if name == known {
			return Trouble(t + 1)
		}
	}
	return Other
}

// maxDetail is how much of an error's own text goes into a retry log, in bytes.
const maxDetail = 300

// Failure is why an attempt has no whole answer.
type Failure struct {
	Trouble Trouble
	Err     error
}

// Error is the text that stands in the retry log: one line, printable, of bounded length.
func (f *Failure) Error() string {
	detail := strings.ToValidUTF8(f.Err.Error(), "?")
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + "..."
	}
	return f.Trouble.String() + ": " + printable(detail)
}

// Unwrap returns the underlying error.
func (f *Failure) Unwrap() error { return f.Err }

// printable replaces what a terminal might act on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7F <= r && r < 0xA0 {
			return '?'
		}
		return r
	}, s)
}

// classify finds out what went wrong before an answer's header was there.
func classify(err error) *Failure {
	return &Failure{Trouble: troubleOf(err), Err: err}
}

func troubleOf(err error) Trouble {
	var timeout net.Error
	var proxy *ProxyError
	switch {
	case errors.As(err, &proxy):
		return AtProxy
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Reset
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return NoRoute
	case isTLS(err):
		return BadTLS
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return Closed
	}
	// net/http's own errors have no types; these words are the only way to tell them apart, and a test holds them.
	text := err.Error()
	switch {
	case strings.Contains(text, "server closed idle connection"), strings.Contains(text, "http2: client conn"), strings.Contains(text, "GOAWAY"):
		return Closed
	case strings.Contains(text, "stream error: "): // HTTP/2's reset, of one request
		return Reset
	case strings.Contains(text, "readLoopPeekFailLocked"): // an answer came before its request
		return Garbage
	case errors.Is(err, http.ErrSchemeMismatch):
		return BadTLS
	case strings.Contains(text, "transport connection broken"), strings.Contains(text, "malformed"), strings.Contains(text, "connection error: "), strings.Contains(text, "server response headers exceeded"):
		return Garbage
	}
	return Other
}

// isLocal reports whether err is about this machine and not about the server.
func isLocal(err error) bool {
	for _, local := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, local) {
			return true
		}
	}
	return false
}

func isTLS(err error) bool {
	var header tls.RecordHeaderError
	var alert tls.AlertError
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &header) || errors.As(err, &alert) || errors.As(err, &cert) || errors.As(err, &authority) ||
		errors.As(err, &host) || errors.As(err, &invalid) || strings.HasPrefix(rootText(err), "tls: ")
}

// rootText is the text of the innermost error of a chain.
func rootText(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprint(err)
		}
		err = inner
	}
}

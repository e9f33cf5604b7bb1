package refire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// errHeadTooLong is told of a head that goes on beyond maxHeaderBytes.
var errHeadTooLong = &garbageError{fmt.Errorf("the answer's header is longer than %d bytes", maxHeaderBytes)}

// garbageError is one of what came, and not of the connection it came on.
type garbageError struct{ err error }

func (e *garbageError) Error() string { return e.err.Error() }
func (e *garbageError) Unwrap() error { return e.err }

// exchange writes r and reads its answer. With an error answer says how far it came: Unsent, or a Status and Bytes.
func (c *loopConn) exchange(r *Request, s *site, maxBody int64) (answer Answer, err error) {
	c.reusable = false
	c.out = s.appendRequest(c.out[:0], r)
	_, writeErr := c.conn.Write(c.out)
	if writeErr != nil && c.wire.sent == 0 {
		return Answer{Unsent: true}, writeErr
	}
	if cap(c.out) > maxKeptBytes {
		c.out = nil
	}
	if writeErr != nil {
		return c.earlyAnswer(r.Method, maxBody, writeErr)
	}
	return c.readAnswer(r.Method, maxBody)
}

// earlyAnswer reads the answer to a request that could not be sent as a whole: a server that finds the target too long answers before it has read it all. One
// that neither reads on nor closes takes all of the attempt's time; then what has come by now is read.
func (c *loopConn) earlyAnswer(method string, maxBody int64, writeErr error) (answer Answer, err error) {
	late := errors.Is(writeErr, os.ErrDeadlineExceeded)
	c.wire.probing = late
	answer, err = c.readAnswer(method, maxBody)
	c.wire.probing = false
	c.reusable = false
	if answer.Status == 0 || err != nil && late {
		err = writeErr
	}
	return answer, err
}

// maxKeptBytes is how long the buffer for requests may be that a resting connection keeps.
const maxKeptBytes = 16 << 10

// readAnswer reads one answer, its body up to maxBody. It sets reusable.
func (c *loopConn) readAnswer(method string, maxBody int64) (answer Answer, err error) {
	c.allow = maxHeaderBytes // of all heads up to the last: informational ones come before
	resp, head, err := c.readHead(method)
	c.allow = -1
	if err != nil {
		return Answer{}, err
	}
	answer.Status = head.status
	switch {
	case head.status < 100:
		return Answer{}, &garbageError{fmt.Errorf("the answer's status is %03d", head.status)}
	case head.status == http.StatusSwitchingProtocols:
		return answer, nil // what follows is another protocol, without an end
	case resp != nil:
		answer.RetryAfter = retryAfter(head.status, resp.Header, time.Now())
		answer.Bytes, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	default:
		answer.Bytes, err = c.discard(min(head.length, maxBody))
	}
	whole := err == nil && (answer.Bytes < maxBody || answer.Bytes == head.length)
	c.reusable = whole && !head.closes && c.br.Buffered() == 0
	return answer, err
}

// readHead reads heads up to one that is not informational. resp is nil if that is an ordinary one.
func (c *loopConn) readHead(method string) (resp *http.Response, head head, err error) {
	for {
		if _, err := c.br.Peek(1); err != nil {
			return nil, head, c.blame(err)
		}
		there, _ := c.br.Peek(c.br.Buffered())
		if head, size := plainHead(there); size > 0 {
			_, _ = c.br.Discard(size) // it is there
			if method == "HEAD" {
				head.length = 0
			}
			return nil, head, nil
		}
		isHTTP := c.beginsAsHTTP()
		if resp, err = http.ReadResponse(c.br, &http.Request{Method: method}); err != nil {
			if isHTTP && c.failed != nil { // the line that it finds wrong is not a whole one
				err = notLess(c.failed)
			}
			return nil, head, c.blame(err)
		}
		if code := resp.StatusCode; code < 100 || code > 199 || code == http.StatusSwitchingProtocols {
			head.status, head.length, head.closes = code, resp.ContentLength, resp.Close
			return resp, head, nil
		}
	}
}

// beginsAsHTTP reports whether what comes is the beginning of an answer, as far as it comes.
func (c *loopConn) beginsAsHTTP() bool {
	const word = "HTTP/"
	for n := 1; n <= len(word); n++ {
		if there, err := c.br.Peek(n); err != nil {
			return true
		} else if there[n-1] != word[n-1] {
			return false
		}
	}
	return true
}

// notLess is err, but an end is one that was not expected.
func notLess(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// blame says whose fault err is: that of what came, unless the connection had one itself.
func (c *loopConn) blame(err error) error {
	switch {
	case c.failed == nil:
		return &garbageError{err}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return err
	case errors.Is(err, c.failed):
		return c.failed
	}
	return &garbageError{err} // what came before the connection failed
}

// bodyBuffers are for bodies that do not come with their head.
var bodyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// discard reads n bytes and keeps nothing.
func (c *loopConn) discard(n int64) (read int64, err error) {
	there, _ := c.br.Discard(int(min(n, int64(c.br.Buffered()))))
	if read = int64(there); read == n {
		return read, nil
	}
	buf := bodyBuffers.Get().(*[32 << 10]byte)
	defer bodyBuffers.Put(buf)
	for read < n {
		got, err := c.br.Read(buf[:min(n-read, int64(len(buf)))])
		read += int64(got)
		if err != nil {
			return read, notLess(err)
		}
	}
	return read, nil
}

package refire

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// TestPlainHead says which heads are taken for ordinary; what such a head means, FuzzPlainHead's judge says.
func TestPlainHead(t *testing.T) {
	for text, plain := range map[string]bool{
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":                                               true,
		"HTTP/1.1 503\r\ncontent-length:12\r\n\r\n":                                                  true,
		"HTTP/1.1 500 No\r\nDate: x\r\nCONTENT-LENGTH: \t7 \r\nConnection: Close\r\n\r\nmore":        true,
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nX: \xc3\xa9\r\n\r\nhello": true,
		"": false,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n":                                   false,
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n":                               false,
		"HTTP/1.1 200 OK\nContent-Length: 0\n\n":                                     false,
		"HTTP/1.1 200 OK\r\n\r\n":                                                    false,
		"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n":                         false,
		"HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n":                             false,
		"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n":                             false,
		"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n":                              false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n":          false,
		"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n":                              false,
		"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n":             false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTrailer: x\r\n\r\n":                 false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close, x\r\n\r\n":       false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: b\r\n folded\r\n\r\n":            false,
		"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n":                              false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nno colon\r\n\r\n":                   false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\x00: x\r\n\r\n":                    false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: a\rb\r\n\r\n":                    false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: a\x00b\r\n\r\n":                  false,
	} {
		if _, size := plainHead([]byte(text)); (size > 0) != plain {
			t.Errorf("%q: size %d", text, size)
		}
		checkPlainHead(t, []byte(text))
	}
}

// FuzzPlainHead: a head that plainHead takes means the same to net/http.
func FuzzPlainHead(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 503 \r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 500 No\r\nTrailer-x: y\r\nTransfer_Encoding: chunked\r\nContent-Length: 07\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) { checkPlainHead(t, b) })
}

func checkPlainHead(t *testing.T, b []byte) {
	h, size := plainHead(b)
	if size == 0 {
		return
	}
	from := bytes.NewReader(b)
	br := bufio.NewReaderSize(from, max(16, len(b)))
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatalf("%q: net/http says %v", b, err)
	}
	if resp.StatusCode != h.status || resp.ContentLength != h.length || resp.Close != h.closes || len(resp.TransferEncoding) > 0 {
		t.Errorf("%q: %+v, net/http says %d, %d, %v", b, h, resp.StatusCode, resp.ContentLength, resp.Close)
	}
	if left := br.Buffered() + from.Len(); left != len(b)-size {
		t.Errorf("%q: %d bytes left, net/http says %d", b, len(b)-size, left)
	}
	if !strings.HasSuffix(string(b[:size]), "\r\n\r\n") {
		t.Errorf("%q: the head ends after %q", b, b[:size])
	}
}

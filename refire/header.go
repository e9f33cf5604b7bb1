package refire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Header is a header field that goes out with every request, beside those that refire sends by itself: Host, User-Agent and Accept, and a Content-Length of 0
// with a POST, PUT or PATCH. A Header named User-Agent or Accept takes the place of refire's.
type Header struct {
	Name, Value string

	// Secret headers go to HTTPConfig.Base and nowhere else, and are taken out of errors.
	Secret bool

	// Where the value was read, if it was: a file with a header a line, or a variable of the environment. Curl names these instead of a secret.
	File, Env string
}

// Limits of headers.
const (
	MaxHeaders          = 64
	MaxHeaderValueBytes = 8 << 10
)

// ParseHeader reads "Name: value". Its errors hold nothing of the value.
func ParseHeader(line string) (Header, error) {
	name, value, found := strings.Cut(line, ":")
	h := Header{Name: name, Value: strings.Trim(value, " \t")}
	if !found || !isToken(name) {
		return Header{}, fmt.Errorf("is no header; write 'Name: value'")
	}
	return h, h.Check()
}

// Check finds headers that refire must not or cannot send: those that say how a request is framed, where it goes or what becomes of its connection, which are
// refire's own business, and values that would not arrive as they are.
func (h Header) Check() error {
	switch lower := strings.ToLower(h.Name); {
	case !isToken(h.Name):
		return fmt.Errorf("%q is no name of a header", h.Name)
	case lower == "host":
		return fmt.Errorf("%s is --base's or --allow-host's, or a request might end elsewhere", h.Name)
	case lower == "proxy-authorization", lower == "proxy-connection":
		return fmt.Errorf("%s is for a proxy, and not for the server", h.Name)
	case isFraming(lower):
		return fmt.Errorf("%s is about the connection or the request's body, which refire looks after itself", h.Name)
	case h.Value == "":
		return fmt.Errorf("%s has no value", h.Name)
	case len(h.Value) > MaxHeaderValueBytes:
		return fmt.Errorf("%s is longer than %d bytes", h.Name, MaxHeaderValueBytes)
	case h.Value != strings.Trim(h.Value, " \t"), strings.ContainsFunc(h.Value, func(r rune) bool { return (r < ' ' || r > '~') && r != '\t' }):
		return fmt.Errorf("%s has bytes in its value that cannot be sent: controls, or others than ASCII", h.Name)
	}
	return nil
}

// isFraming is for names in lower case: RFC 9110, 7.6.1 (hop by hop), 6.6.2, 8.6 and 10.1.1, RFC 9112, 6.
func isFraming(lower string) bool {
	switch lower {
	case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "expect", "http2-settings", "content-encoding":
		return true
	}
	return false
}

// LooksSecret reports whether a header by that name, or with such a value, is a credential as far as anybody can tell.
func (h Header) LooksSecret() bool {
	lower := strings.ToLower(h.Name)
	for _, part := range []string{
		"authorization", "cookie", "token", "secret", "passw", "api-key", "apikey", "api_key", "access-key", "auth-key", "x-auth", "session", "credential",
	} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	scheme, _, _ := strings.Cut(strings.ToLower(h.Value), " ")
	return scheme == "bearer" || scheme == "basic" || scheme == "digest" || scheme == "negotiate"
}

// CheckHeaders finds what is wrong with a list of them.
func CheckHeaders(list []Header) error {
	if len(list) > MaxHeaders {
		return fmt.Errorf("%d headers are more than %d", len(list), MaxHeaders)
	}
	names := map[string]bool{}
	for _, h := range list {
		if err := h.Check(); err != nil {
			return err
		}
		if lower := strings.ToLower(h.Name); names[lower] {
			return fmt.Errorf("%s is given twice", h.Name)
		} else {
			names[lower] = true
		}
	}
	return nil
}

// IdempotencyKey is the key of r's entry, in the form of a UUID: the same for each attempt and in every run, another for each entry. A server that knows such keys
// (draft-ietf-httpapi-idempotency-key-header) does twice what arrives twice only once.
func (r *Request) IdempotencyKey() string {
	sum := sha256.Sum256(append([]byte("refire idempotency key\n"), r.ID[:]...))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0F|0x80, b[8]&0x3F|0x80 // version 8: made of what its maker likes (RFC 9562, 5.8)
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// headersFor are those of c that go to o, refire's own ones first.
func (c *HTTPConfig) headersFor(o Origin) []Header {
	list := []Header{{Name: "User-Agent", Value: UserAgent}, {Name: "Accept", Value: "*/*"}}
	for _, h := range c.Headers {
		if h.Secret && o != c.Base {
			continue
		}
		for i := range list[:min(2, len(list))] {
			if strings.EqualFold(list[i].Name, h.Name) {
				list = append(list[:i], list[i+1:]...)
				break
			}
		}
		list = append(list, h)
	}
	return list
}

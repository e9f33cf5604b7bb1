package refire

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// veil takes secrets out of errors: a server may send back what it got, and an error show what came.
type veil struct{ replace *strings.Replacer }

const (
	hidden         = "[hidden]"
	minSecretBytes = 4 // shorter ones would be found everywhere
)

func newVeil(headers []Header) veil {
	var pairs []string
	hide := func(secret string) {
		if len(secret) < minSecretBytes {
			return
		}
		pairs = append(pairs, secret, hidden)
		if quoted := strconv.Quote(secret); quoted[1:len(quoted)-1] != secret {
			pairs = append(pairs, quoted[1:len(quoted)-1], hidden)
		}
	}
	for _, h := range headers {
		if !h.Secret {
			continue
		}
		hide(h.Value) // the longest first: a Replacer takes the first that fits
		for _, part := range strings.FieldsFunc(h.Value, func(r rune) bool { return strings.ContainsRune(" \t;,", r) }) {
			hide(part)
			if _, value, found := strings.Cut(part, "="); found {
				hide(strings.Trim(value, `"`))
			}
			if plain, err := base64.StdEncoding.DecodeString(part); err == nil {
				if user, password, found := strings.Cut(string(plain), ":"); found {
					hide(user + ":" + password)
					hide(password)
				}
			}
		}
	}
	if len(pairs) == 0 {
		return veil{}
	}
	return veil{strings.NewReplacer(pairs...)}
}

// veiled is an error without the secrets in its text.
type veiled struct {
	error
	text string
}

func (v *veiled) Error() string { return v.text }
func (v *veiled) Unwrap() error { return v.error }

// over hides secrets in an answer's error.
func (v veil) over(a Answer) Answer {
	if v.replace == nil || a.Err == nil {
		return a
	}
	text := a.Err.Err.Error()
	if clean := v.replace.Replace(text); clean != text {
		a.Err = &Failure{Trouble: a.Err.Trouble, Err: &veiled{a.Err.Err, clean}}
	}
	return a
}

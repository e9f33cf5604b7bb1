package refire

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// veil takes secrets out of errors: a server may send back what it got, whole, cut, or in other letters, and an error show what came.
type veil struct{ grams []string }

const (
	hidden         = "[hidden]"
	minSecretBytes = 4 // shorter ones would be found everywhere
	gramBytes      = 8 // as much of a secret is not shown
)

func newVeil(headers []Header) veil {
	var v veil
	for _, h := range headers {
		if !h.Secret {
			continue
		}
		v.hide(h.Value, len(h.Value))
		for _, part := range strings.FieldsFunc(h.Value, func(r rune) bool { return strings.ContainsRune(" \t;,", r) }) {
			v.hide(part, gramBytes)
			if _, value, found := strings.Cut(part, "="); found {
				v.hide(strings.Trim(value, `"`), gramBytes)
			}
			if plain, err := base64.StdEncoding.DecodeString(part); err == nil {
				if user, password, found := strings.Cut(string(plain), ":"); found {
					v.hide(user+":"+password, gramBytes)
					v.hide(password, gramBytes)
				}
			}
		}
	}
	slices.Sort(v.grams)
	v.grams = slices.Compact(v.grams)
	return v
}

// hide adds a secret's pieces of that size, as it is and as %q writes it.
func (v *veil) hide(secret string, size int) {
	if len(secret) < minSecretBytes {
		return
	}
	quoted := strconv.Quote(secret)
	for _, form := range []string{secret, quoted[1 : len(quoted)-1]} {
		form = lower(form)
		size := min(len(form), size)
		for i := range len(form) - size + 1 {
			v.grams = append(v.grams, form[i:i+size])
		}
	}
}

// lower is for comparing; it keeps every byte in its place.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// clean returns text without any piece of a secret.
func (v veil) clean(text string) string {
	secret := make([]bool, len(text)) // by byte
	low := lower(text)
	for _, gram := range v.grams {
		for i := 0; ; i++ {
			k := strings.Index(low[i:], gram)
			if k < 0 {
				break
			}
			i += k
			for at := range len(gram) {
				secret[i+at] = true
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !secret[i]:
			b.WriteByte(text[i])
		case i == 0 || !secret[i-1]:
			b.WriteString(hidden)
		}
	}
	return b.String()
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
	if len(v.grams) == 0 || a.Err == nil {
		return a
	}
	text := a.Err.Err.Error()
	if clean := v.clean(text); clean != text {
		a.Err = &Failure{Trouble: a.Err.Trouble, Err: &veiled{a.Err.Err, clean}}
	}
	return a
}

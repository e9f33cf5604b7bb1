package refire

import (
	"errors"
	"strings"
	"testing"
)

// TestVeil: whatever eight bytes of a secret stand in an error, in whatever letters and with whatever escapes, are not shown; the rest is.
func TestVeil(t *testing.T) {
	const token, user = `ab"cd\ef-SECRETSECRET`, "YWxpY2U6cGFzc3dvcmQ5OTk=" // alice:password999
	v := newVeil([]Header{
		{Name: "Authorization", Value: "Bearer " + token, Secret: true}, {Name: "X-Basic", Value: "Basic " + user, Secret: true},
		{Name: "Cookie", Value: `a=1; sid="k3y!"`, Secret: true}, {Name: "X-Debug", Value: "not-a-secret", Secret: false},
	})
	for text, want := range map[string]string{
		"malformed " + token:                                   "malformed [hidden]",
		`malformed "` + token[12:] + `"`:                       `malformed "[hidden]"`,
		`malformed "2` + `b\"cd\\ef-SECRETSECRET"`:             `malformed "2[hidden]"`,
		"malformed " + strings.ToUpper(token) + " answer":      "malformed [hidden] answer",
		"x" + token[2:11] + "y" + token[3:12] + "z":            "x[hidden]y[hidden]z",
		"got alice:password999 and password9, not-a-secret":    "got [hidden] and [hidden], not-a-secret",
		"sid k3y! " + user[:10] + " \xff\xfe e\u0301 SECRETSE": "sid [hidden] [hidden] ? e\u0301 [hidden]",
		"the pass is wrong":                                    "the pass is wrong",
		"":                                                     "",
	} {
		a := v.over(Answer{Err: &Failure{Trouble: Garbage, Err: errors.New(text)}})
		if got := a.Err.Error(); !strings.HasSuffix(got, want) || strings.Contains(got, "SECRET") {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if a := newVeil(nil).over(Answer{Err: &Failure{Trouble: Garbage, Err: errors.New(token)}}); !strings.Contains(a.Err.Error(), token) {
		t.Errorf("without a secret: %v", a.Err)
	}
}

// TestVeil_short: a secret is hidden from four bytes on; shorter ones would be found everywhere.
func TestVeil_short(t *testing.T) {
	v := newVeil([]Header{{Name: "X-A", Value: "k3y!", Secret: true}, {Name: "X-B", Value: "abc", Secret: true}, {Name: "X-C", Value: "Basic dTpwYTU1", Secret: true}}) // u:pa55
	if got := v.clean("k3y! abc k3y pa55"); got != "[hidden] abc k3y [hidden]" {
		t.Errorf("%q", got)
	}
}

package accesslog_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func TestParseStatusSet(t *testing.T) {
	for _, test := range []struct{ text, canonical, in, out string }{
		{"5xx", "5xx", "500 550 599", "499 600 000"},
		{"5XX, 404", "404,5xx", "404 500 599", "403 405"},
		{"500,502-504", "500,502-504", "500 502 503 504", "501 505"},
		{"4xx,5xx", "4xx,5xx", "400 599", "399 600"},
		{"000", "000", "000", "001"},
		{"499-600", "499,5xx,600", "499 500 600", "498 601"},
		{"450-550", "450-499,500-550", "450 499 500 550", "449 551"},
		{"503,503,503-503", "503", "503", "502 504"},
	} {
		set := mustSet(t, test.text)
		if got := set.String(); got != test.canonical {
			t.Errorf("%q: String is %q, want %q", test.text, got, test.canonical)
		}
		if again := mustSet(t, set.String()); again != set {
			t.Errorf("%q: String does not read back", test.text)
		}
		for s := range strings.FieldsSeq(test.in) {
			if !set.Contains(atoi(s)) {
				t.Errorf("%q does not contain %s", test.text, s)
			}
		}
		for s := range strings.FieldsSeq(test.out) {
			if set.Contains(atoi(s)) {
				t.Errorf("%q contains %s", test.text, s)
			}
		}
	}
	if set := mustSet(t, "000-999"); set.Contains(-1) || set.Contains(1000) || set.Contains(1024) {
		t.Error("a set contains what is no status")
	}
}

func atoi(s string) int { return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0') }

func TestParseStatusSetErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":          "an item is empty",
		"5xx,":      "an item is empty",
		"50":        `"50" is no status; write three digits`,
		"5x":        `"5x" is no status`,
		"xxx":       `"xxx" is no status`,
		"1000":      `"1000" is no status`,
		"+50":       `"+50" is no status`,
		"504-502":   "write it as 502-504",
		"500-":      `"" is no status`,
		"-500":      `"" is no status`,
		"5xx-6xx":   `"5xx" is no status`,
		"500 502":   `"500 502" is no status`,
		"500-502-4": `"502-4" is no status`,
	} {
		_, err := accesslog.ParseStatusSet(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestStatusSetText(t *testing.T) {
	var set accesslog.StatusSet
	if !set.IsEmpty() || set.String() != "" {
		t.Error("the zero set is not empty")
	}
	if err := set.UnmarshalText([]byte("502-504")); err != nil {
		t.Fatal(err)
	}
	if err := set.UnmarshalText([]byte("nonsense")); err == nil || set.String() != "502-504" {
		t.Errorf("after an error (%v) the set is %v", err, set)
	}
	if text, err := set.MarshalText(); string(text) != "502-504" || err != nil {
		t.Errorf("MarshalText: %s, %v", text, err)
	}
}

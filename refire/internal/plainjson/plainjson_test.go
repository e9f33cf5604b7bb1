package plainjson_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/seed8b1f0744/aio/refire/internal/plainjson"
)

func TestAppend(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                      `"plain"`,
		"\x1b[31m\a\u009b31m\x7f":    `"\u001b[31m\u0007\u009b31m\u007f"`,
		"a\u202eb\u2066c\ufeff":      `"a\u202eb\u2066c\ufeff"`,
		"é 漢 \"q\" \\ /":             `"é 漢 \"q\" \\ /"`,
		"\U000e0041 \U0001f600":      `"\udb40\udc41 😀"`, // a tag character, which shows nothing, and one that prints
		"\u2028 nbsp\u00a0shy\u00ad": `"\u2028 nbsp\u00a0shy\u00ad"`,
	} {
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(plainjson.Append(nil, encoded)); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

// FuzzAppend: what comes out prints, and is the same JSON.
func FuzzAppend(f *testing.F) {
	f.Add("a\u009b\u202e\U000e0041\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		plain := plainjson.Append([]byte("x"), encoded)[1:]
		for _, r := range string(plain) {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q has %q", plain, r)
			}
		}
		var before, after string
		if json.Unmarshal(encoded, &before) != nil || json.Unmarshal(plain, &after) != nil || before != after {
			t.Fatalf("%q became %q", before, after)
		}
	})
}

package refire_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// TestCurlWords that no comparison with what arrives can hold: they matter with another ~/.curlrc, another environment, or a secret that was read nowhere.
func TestCurlWords(t *testing.T) {
	base := mustOrigin(t, "http://h")
	c := refire.HTTPConfig{Base: base, Headers: []refire.Header{{Name: "Authorization", Value: "Bearer sesame", Secret: true}, {Name: "X-Plain", Value: "1"}}}
	r := request(0, "/")
	r.Origin = base
	command := c.Curl(&r)
	if !strings.HasPrefix(command, "curl -q ") { // else ~/.curlrc is read
		t.Errorf("%s", command)
	}
	for _, part := range []string{" --noproxy '*' ", " --globoff ", " --path-as-is ", " --http1.1 ", " --max-time 10 ", " -H 'Authorization: [hidden]' ", " -H 'X-Plain: 1' "} {
		if !strings.Contains(command, part) {
			t.Errorf("%s\nhas no%s", command, part)
		}
	}
	if strings.Contains(command, "sesame") || strings.Contains(command, " -L") {
		t.Errorf("%s", command)
	}
	r.Origin = mustOrigin(t, "http://elsewhere")
	if command = c.Curl(&r); strings.Contains(command, "Authorization") {
		t.Errorf("a secret goes elsewhere: %s", command)
	}
}

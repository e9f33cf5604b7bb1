package refire_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// TestCurl runs the commands, and compares what arrives with what the client sends.
func TestCurl(t *testing.T) {
	for _, program := range []string{"curl", "sh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("there is no ", program, " here: the commands cannot be tried")
		}
	}
	if !refire.LoopClients {
		t.Skip("no LoopClient here to compare with")
	}
	s := newRawServer(t, func(net.Conn, string, int, int) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	})
	file := filepath.Join(t.TempDir(), "it's secret.txt")
	if err := os.WriteFile(file, []byte("Authorization: Bearer sesame\nX-From-File: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REFIRE_TEST_SECRET", `a "sesame" $HOME %s \n`)
	headers := []refire.Header{
		{Name: "X-Quote", Value: `it's "so" $HOME; \ %s`},
		{Name: "Authorization", Value: "Bearer sesame", Secret: true, File: file},
		{Name: "X-From-File", Value: "2", Secret: true, File: file},
		{Name: "Cookie", Value: os.Getenv("REFIRE_TEST_SECRET"), Secret: true, Env: "REFIRE_TEST_SECRET"},
	}
	agents := []refire.Header{{Name: "User-Agent", Value: "me/1"}, {Name: "Accept", Value: "text/html"}}
	for name, c := range map[string]refire.HTTPConfig{
		"plain":      {},
		"headers":    {Headers: headers},
		"agent":      {Headers: agents[:1]},
		"accept":     {Headers: agents[1:]},
		"both":       {Headers: agents},
		"everything": {Headers: append(agents[:1:1], headers...), IdempotencyKey: "Idempotency-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			c.Base = s.origin(t)
			client := pinned(t, newTaskClient, c, []refire.Origin{c.Base})
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE", "-ODD"} {
				compareCurl(t, s, &c, client, method, "/x?a=b&c")
			}
			if name != "plain" {
				return
			}
			for _, target := range []string{
				"/", "//", "//victim.test/x", "/../..//a/./b", "/a#b?c", "/{1,2}[3-4]", "/%zz%00", "/it's$(touch${IFS}here)`id`\"\\", "/%{http_code}%output{here}%%", "/\\n\\t\\\\r", "/'", "/a?;|&<>!*~", "/@x", "/-", "/" + strings.Repeat("x", 20_000),
			} {
				compareCurl(t, s, &c, client, "GET", target)
			}
		})
	}
}

func compareCurl(t *testing.T, s *rawServer, c *refire.HTTPConfig, client closingClient, method, target string) {
	t.Helper()
	r := request(0, target)
	r.Method, r.Origin = method, s.origin(t)
	if a := client.Attempt(t.Context(), &r); a.Err != nil {
		t.Fatal(a.Err)
	}
	command := c.Curl(&r)
	if strings.Contains(command, "sesame") || strings.Contains(command, "\n") {
		t.Errorf("%s", command)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", command)
	sh.Dir = t.TempDir()
	said, err := sh.Output()
	if want := "200 " + method + " " + strings.ReplaceAll(target, `\`, "%5C") + "\n"; err != nil || string(said) != want {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			said = append(said, exit.Stderr...)
		}
		t.Fatalf("%v, %s\n%s", err, said, command)
	}
	heads := s.seen()
	if ours, its := heads[len(heads)-2], heads[len(heads)-1]; ours != its {
		t.Errorf("%s\nsent %q, want %q", command, its, ours)
	}
	if made, _ := os.ReadDir(sh.Dir); len(made) > 0 {
		t.Errorf("%s\nmade %v", command, made)
	}
}

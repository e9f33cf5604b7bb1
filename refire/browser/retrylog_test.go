package browser_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// program builds refire, once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "refire-browser-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "refire")
	cmd := exec.Command("go", "build", "-o", name, "./cmd/refire")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// writePage has refire make a page of a retry log.
func writePage(t *testing.T, lines []map[string]any) (name string) {
	t.Helper()
	refire, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, l := range lines {
		if err := json.NewEncoder(&text).Encode(ordered(l)); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	log, name := filepath.Join(dir, "retry.log"), filepath.Join(dir, "out.html")
	if err := os.WriteFile(log, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(refire, "report", "--html", name, log).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: some still fail
		t.Fatalf("%v: %s", err, out)
	}
	return name
}

// ordered puts the field first that a line of a retry log begins with.
func ordered(l map[string]any) json.RawMessage {
	url, _ := json.Marshal(l["url"])
	delete(l, "url")
	rest, _ := json.Marshal(l)
	return json.RawMessage(`{"url":` + string(url) + `,` + string(rest[1:]))
}

var begun = time.Date(2026, 3, 12, 14, 2, 0, 0, time.FixedZone("", 3600))

func line(i int, target string, status int, trouble string) map[string]any {
	id := sha256.Sum256(fmt.Append(nil, i))
	l := map[string]any{
		"url": "https://shop.example" + target + "?retry=True", "method": "GET", "old_status": 500 + i%4, "status": status, "attempts": 1 + i%2,
		"latency_ms": float64(i%97)*3 + 0.5, "bytes": 512, "source": "access.log", "offset": i * 100, "target": target, "id": hex.EncodeToString(id[:16]),
		"time": begun.Add(time.Hour + time.Duration(i)*50*time.Millisecond).UTC().Format(time.RFC3339Nano), "logged": begun.Add(time.Duration(i) * time.Second).Format(time.RFC3339),
	}
	if trouble != "" {
		l["error"] = trouble
	}
	return l
}

// outcomes are n of all kinds; of 10, 7 recovered, 2 still fail, 1 is unreachable; a tenth of each are at /cart.
func outcomes(n int) (list []map[string]any) {
	for i := range n {
		target := fmt.Sprintf("/products/%d", i)
		if i/10%10 == 0 {
			target = "/cart"
		}
		status, trouble := 200, ""
		switch i % 10 {
		case 3, 4:
			status = 503
		case 5:
			status, trouble = 0, "timeout: no answer in 10s"
		}
		list = append(list, line(i, target, status, trouble))
	}
	return list
}

// payloads are what strangers might put into a request line.
var payloads = []string{
	`/<script>window.owned=1</script>`,
	`/"><img/src=x/onerror=window.owned=1>`,
	`/'onmouseover='window.owned=1`,
	`/</style></title></textarea></script><script>window.owned=1</script>`,
	`/<svg/onload=window.owned=1>`,
	`/<link/rel=stylesheet/href=http://127.0.0.1:9/x.css>`,
	`/<meta/http-equiv=refresh/content=0;url=http://127.0.0.1:9/>`,
	`/<base/href=http://127.0.0.1:9/>`,
	`/{{.Policy}}{{script}}`,
	`/-->]]><iframe/src=javascript:window.owned=1>`,
	`/&lt;script&gt;window.owned=1&lt;/script&gt;`,
	`/\u003cscript\u003ewindow.owned=1\u003c/script\u003e`,
}

// hostile is a log with payloads in every field that holds a stranger's text.
func hostile() (list []map[string]any) {
	for i, p := range payloads {
		l := line(i, p, 500, "")
		if i%2 == 0 {
			l = line(i, p, 0, "other: "+p+p)
		}
		l["source"] = "logs/" + p
		list = append(list, l)
	}
	return list
}

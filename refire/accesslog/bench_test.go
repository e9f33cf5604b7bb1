package accesslog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// benchLog returns a combined log of about 16 MiB, with one 5xx in failing lines (0: none).
func benchLog(failing int) string {
	agents := []string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"curl/8.5.0", "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://example.org/bot.html)",
	}
	var b strings.Builder
	for i := 0; b.Len() < 16<<20; i++ {
		status := 200
		if failing > 0 && i%failing == failing-1 {
			status = 503
		}
		fmt.Fprintf(&b, "192.0.2.%d - - [03/Feb/2026:04:05:%02d +0000] \"GET /articles/%d/%s?page=%d HTTP/1.1\" %d %d \"http://example.org/%s\" \"%s\"\n",
			i%250, i%60, i*7919%100_000, strings.Repeat("part/", i%11), i%50, status, i%90_000, strings.Repeat("x", i*31%90), agents[i%3])
	}
	return b.String()
}

func BenchmarkFile(b *testing.B) {
	for _, failing := range []int{10_000, 100, 1} {
		name := filepath.Join(b.TempDir(), "access.log")
		if err := os.WriteFile(name, []byte(strings.Repeat(benchLog(failing), 16)), 0o600); err != nil {
			b.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("one 5xx in %d/workers=%d", failing, workers), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s, err := accesslog.NewFileScanner(f, accesslog.Options{Workers: workers})
					if err != nil {
						b.Fatal(err)
					}
					for _, err := range s.All(b.Context()) {
						if err != nil {
							b.Fatal(err)
						}
					}
					b.SetBytes(s.Stats().Bytes)
				}
			})
		}
	}
}

func BenchmarkStream(b *testing.B) {
	log := benchLog(10_000)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		for _, err := range accesslog.NewScanner(strings.NewReader(log), accesslog.Options{}).All(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	line := []byte(prefix + `"GET /articles/12?q=\"x\" HTTP/1.1" 503 12 "-" "agent"`)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := accesslog.Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFormats reads each format's log, 16 MB of it, of which nothing is selected.
func BenchmarkFormats(b *testing.B) {
	none, err := accesslog.ParseStatusSet("100")
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, format accesslog.Format, head, line string) {
		log := head + strings.Repeat(line, (16<<20)/len(line))
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range accesslog.NewScanner(strings.NewReader(log), accesslog.Options{Format: format, Status: none}).All(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	for _, test := range presetLogs {
		format, err := accesslog.ParseFormat(test.format)
		if err != nil {
			b.Fatal(err)
		}
		if last := strings.LastIndexByte(strings.TrimSuffix(test.log, "\n"), '\n') + 1; !strings.HasPrefix(test.name, "CRI, the beg") {
			run(test.name, format, test.log[:last], test.log[last:])
		}
	}
	format, err := accesslog.ParseFormat("$server_name " + combinedNginx)
	if err != nil {
		b.Fatal(err)
	}
	run("format string", format, "", "www.example.org "+prefix+`"GET /articles/12 HTTP/1.1" 200 12 "http://example.org/" "Mozilla/5.0 (X11; Linux x86_64)"`+"\n")
}

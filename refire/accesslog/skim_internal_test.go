package accesslog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// skimLine is a usual line, to be bent.
func skimLine(address, request, status, after string) string {
	return address + ` - - [03/Feb/2026:04:05:06 +0000] "` + request + `" ` + status + after
}

// usualLines differ in where their parts lie in the blocks of the walk.
func usualLines(n int) string {
	var b strings.Builder
	methods := []string{"GET", "POST", "HEAD", "PUT", "DELETE"}
	for i := range n {
		b.WriteString(skimLine(strings.Repeat("1", 1+i%40), methods[i%5]+" /"+strings.Repeat("p", i*7%200)+" HTTP/1.1", fmt.Sprint(200+i%300),
			" 1"+strings.Repeat("x", i*13%230)) + "\n")
	}
	return b.String()
}

// TestSkim: the fast path is taken, by both implementations, for all of a usual log.
func TestSkim(t *testing.T) {
	const n = 2000
	log := []byte(usualLines(n))
	var none [1024]bool
	var want [1000]int64
	for i := range n {
		want[200+i%300]++
	}
	var got [1000]int64
	if size, count := skimGo(log, &none, &got, 1000); size != len(log) || count != n || got != want {
		t.Errorf("skimGo passed over %d of %d bytes, %d of %d lines", size, len(log), count, n)
	}
	got = [1000]int64{}
	size, count := skim(log, &none, &got, 1000)
	if count < n-3 { // it may leave the last lines
		t.Errorf("skim passed over %d of %d bytes, %d of %d lines", size, len(log), count, n)
	}
	rest, more := skimGo(log[size:], &none, &got, 1000)
	if size+rest != len(log) || count+more != n || got != want {
		t.Errorf("skim and then skimGo passed over %d of %d bytes, %d of %d lines", size+rest, len(log), count+more, n)
	}
}

// FuzzSkim holds both implementations to what split says, line by line.
func FuzzSkim(f *testing.F) {
	pad := usualLines(4) // the assembly leaves the last bytes, so that lines before them are needed
	seed := func(line string) { f.Add([]byte(line+"\n"+pad), uint16(300)) }
	seed(skimLine("h", "GET / HTTP/1.1", "200", " 1"))
	seed(skimLine("h", "GET /", "200", " 1"))
	seed(skimLine("h", "POST /", "299", " 1"))
	seed(skimLine("h", "HEAD /", "500", " 1"))
	seed(skimLine("h", "PUT /", "600", " 1"))
	seed(skimLine("h", "DELETE /", "000", " 1"))
	for _, request := range []string{"", "-", "GET", "GET ", "GET  /", "POST/", "PUT  /", "DELETE", "DELETE x", "GET /\nx", "GET /\\\"x", "GET /\\\\", "GETx/ y", "POSTx/ y"} {
		seed(skimLine("h", request, "200", " 1"))
	}
	for _, status := range []string{"", "-", "20", "2000", "2o0", "20:", "2/0", "\xb200", "\xcf00", "2\xcf0", "20\xcf", ":00"} {
		seed(skimLine("h", "GET /", status, " 1"))
		seed(skimLine("h", "GET /", status, ""))
	}
	seed(skimLine(strings.Repeat("h", 30), strings.Repeat("x\n", 20), "200", ""))
	seed(skimLine("h", `GET /\" 200 x`, "500", " 1"))
	seed(skimLine("h", "GET /", "200", " 1 ["+strings.Repeat("x", 24)) + "\n" + `x] "GET /" 200 1`) // the bracket of another line
	f.Add([]byte(pad), uint16(70))
	seed(strings.Replace(skimLine("h", "GET /", "200", " 1"), "]", "}", 1))
	seed(skimLine(`"`, "GET /", "200", " 1"))
	seed(skimLine("", "GET /", "200", " 1"))
	seed("\n\n\n" + skimLine("h", "GET /", "200", " 1") + "\r")
	seed(skimLine(strings.Repeat("h", 128), "GET /"+strings.Repeat("x", 128), "200", strings.Repeat(" ", 129)))
	f.Fuzz(func(t *testing.T, log []byte, maxLine uint16) {
		log = log[:bytes.LastIndexByte(log, '\n')+1]
		var selected [1024]bool
		for s := 500; s < 600; s++ {
			selected[s] = true
		}
		type implementation func([]byte, *[1024]bool, *[1000]int64, int) (int, int64)
		for name, skim := range map[string]implementation{"skim": skim, "skimGo": skimGo} {
			for at := 0; at < len(log); at += bytes.IndexByte(log[at:], '\n') + 1 {
				var got, want [1000]int64
				size, count := skim(log[at:], &selected, &got, int(maxLine))
				if size < 0 || size > len(log)-at || size > 0 && log[at+size-1] != '\n' {
					t.Fatalf("%s at %d: passed over %d of %d bytes", name, at, size, len(log)-at)
				}
				var lines int64
				for line := range bytes.Lines(log[at : at+size]) {
					lines++
					line = line[:len(line)-1]
					f, reason := split(trimCR(line))
					if _, _, _, ok := splitRequest(f.request); reason != 0 || !ok || selected[f.status] || len(line) > int(maxLine) {
						t.Fatalf("%s passed over %q (%v, status %d)", name, line, reason, f.status)
					}
					want[f.status]++
				}
				if got != want || count != lines {
					t.Fatalf("%s at %d: %d lines for %d, or wrong statuses", name, at, count, lines)
				}
			}
		}
	})
}

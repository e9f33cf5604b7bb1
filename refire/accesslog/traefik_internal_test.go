package accesslog

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// What the grammar says in expressions, which are too slow for every line.
var (
	openExpression   = regexp.MustCompile(` \[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [-+]\d{4}|-)\] "`)
	closeExpression  = regexp.MustCompile(` HTTP/\d(?:\.\d)?"`)
	statusExpression = regexp.MustCompile(`^ (\d{3}|0|-) (?:\d+|-) "`)
	tailExpression   = regexp.MustCompile(`" (?:\d+|-) "[^"]*" "[^"]*" \d+ms$`)
)

func readByExpression(line []byte, f *fields) Reason {
	if !bytes.HasSuffix(line, []byte("ms")) || !tailExpression.Match(line) {
		return Misfit
	}
	opens := openExpression.FindAllSubmatchIndex(line, -1)
	if len(opens) == 0 || !bytes.Contains(line[:opens[len(opens)-1][0]], []byte(" - ")) {
		return Misfit
	}
	request := line[opens[0][1]:]
	closes := 0
	for _, at := range closeExpression.FindAllIndex(line, -1) {
		if status := statusExpression.FindSubmatch(line[at[1]:]); status != nil {
			request = line[opens[0][1]:max(opens[0][1], at[1]-len(`"`))]
			f.status, _ = statusOf(status[1])
			closes++
		}
	}
	if len(opens) > 1 || closes != 1 || len(request) == 0 {
		return Ambiguous
	}
	f.time, f.undo, f.request = line[opens[0][2]:opens[0][3]], plain, request
	return 0
}

// TestTraefikWalk: the walk finds what the expressions find.
func TestTraefikWalk(t *testing.T) {
	pieces := []string{
		"1.2.3.4", " - ", "user", " [03/Feb/2026:03:05:06 +0000] \"", " [-] \"", "[", "] \"", "GET /x", " HTTP/1.1\"", " HTTP/2\"", " HTTP/2.0", "\"", " 503 5 \"", " 0 - \"", " - 0 \"", " 200",
		"\" \"", "agent", "\" 3 \"r\" \"http://b\" 3ms", "\" - \"\" \"\" 12ms", " 3ms", "ms", " ", "7",
	}
	usual := []int{0, 1, 2, 3, 7, 8, 12, 17, 16, 17, 18}
	random := rand.New(rand.NewPCG(3, 4))
	read := 0
	for range 200_000 {
		var parts []string
		for _, i := range usual {
			switch random.IntN(12) {
			case 0:
			case 1:
				parts = append(parts, pieces[random.IntN(len(pieces))], pieces[i])
			case 2:
				parts = append(parts, pieces[random.IntN(len(pieces))])
			default:
				parts = append(parts, pieces[i])
			}
		}
		line := []byte(strings.Join(parts, ""))
		var got, want fields
		why, wanted := traefik{}.read(line, &got), readByExpression(line, &want)
		if why != wanted || why == 0 && (got.status != want.status || !bytes.Equal(got.request, want.request) || !bytes.Equal(got.time, want.time)) {
			t.Fatalf("%q: %v, %d %q %q, want %v, %d %q %q", line, why, got.status, got.request, got.time, wanted, want.status, want.request, want.time)
		}
		if why == 0 {
			read++
		}
	}
	if read < 10_000 {
		t.Errorf("only %d lines could be read", read)
	}
}

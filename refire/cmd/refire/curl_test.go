package main

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

func TestShellQuote(t *testing.T) {
	tests := map[string]string{
		"":                 "''",
		"plain/a.b:1_2,%@": "plain/a.b:1_2,%@",
		"a b":              "'a b'",
		"it's":             `'it'\''s'`,
		"$(reboot)`x`":     "'$(reboot)`x`'",
		"a\nb":             "'a\nb'",
		"-rf":              "'-rf'",
		"~root":            "'~root'",
		"a&b;c|d>e<f*?!#":  "'a&b;c|d>e<f*?!#'",
		`back\slash`:       `'back\slash'`,
		"{a,b}=[c]":        "'{a,b}=[c]'",
	}
	for text, want := range tests {
		if got := shellQuote(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh to ask")
	}
	for c := 1; c < 256; c++ {
		tests["x"+string([]byte{byte(c)})+"y"] = ""
		tests[string([]byte{byte(c)})] = ""
	}
	for text := range tests {
		out, err := exec.Command(sh, "-c", "printf %s "+shellQuote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("a shell makes %q of %q, %v", out, text, err)
		}
	}
}

// TestCurlCommand: a shell and a real curl send what refire would.
func TestCurlCommand(t *testing.T) {
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("there is no " + program + " to ask")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heads := make(chan string, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 8<<10)
			n, _ := conn.Read(buf)
			line, _, _ := strings.Cut(string(buf[:n]), "\r\n")
			heads <- line
			fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			conn.Close()
		}
	}()
	port, _ := strconv.Atoi(l.Addr().String()[strings.LastIndexByte(l.Addr().String(), ':')+1:])
	for _, target := range []string{
		"/", "/a?b=c&d=e", "//x/../y/./z", "/a#b?c#d", "/%zz%", "/[a]{b,c}", `/back\slash`, "/it's", "/$(echo)`x`", "/\"q\"<s>|^~", "/?", "/a;b", "/..", "/{{.}}", "/@x:1/",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "-ODD", "PROPFIND"} {
			if method != "GET" && target != "/a#b?c#d" {
				continue
			}
			r := &refire.Request{Method: method, Origin: refire.Origin{Scheme: "http", Host: "127.0.0.1", Port: uint16(port)}, Target: target}
			cmd := exec.Command("sh", "-c", curlCommand(r))
			cmd.Env = []string{"PATH=/usr/bin:/bin"}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasPrefix(string(out), "204 http://") {
				t.Errorf("%s: %v: %s", curlCommand(r), err, out)
			}
			select {
			case got := <-heads:
				if want := method + " " + target + " HTTP/1.1"; got != want {
					t.Errorf("%s\nsends %q, want %q", curlCommand(r), got, want)
				}
			default:
				t.Errorf("%s\nsent nothing", curlCommand(r))
			}
		}
	}
}

func TestCSVCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "GET": "GET", "=1+1": "'=1+1", "+1": "'+1", "-cmd|' /C calc'!A0": "'-cmd|' /C calc'!A0", "@SUM(A1)": "'@SUM(A1)", "\t=1": `\t=1`, "\r=1": `\r=1`,
		"\uFF1D1": "'\uFF1D1", "a=1": "a=1", "1": "1", "\x1b[31m": `\x1b[31m`,
	} {
		if got := csvCell(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

package main

import "testing"

func TestCSVCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "GET": "GET", "=1+1": "'=1+1", "+1": "'+1", "-cmd|' /C calc'!A0": "'-cmd|' /C calc'!A0", "@SUM(A1)": "'@SUM(A1)", "\t=1": `\t=1`, "\r=1": `\r=1`,
		"\uFF1D1": "'\uFF1D1", "a=1": "a=1", "/x;=cmd|' /C calc'!A0;y;\uFF0D1;;+": "/x;'=cmd|' /C calc'!A0;y;'\uFF0D1;;'+", "1": "1", "\x1b[31m": `\x1b[31m`,
	} {
		if got := csvCell(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

package aio

import "testing"

func TestReasons_haveWords(t *testing.T) {
	for on, words := range reasonWords {
		if (words == "") != (reason(on) == onUnknown) {
			t.Errorf("reason %d says %q", on, words)
		}
	}
	if got := onPromise + ofPoolClose; got != onPoolClose {
		t.Errorf("the last future's reason is %d, want %d", got, onPoolClose)
	}
}

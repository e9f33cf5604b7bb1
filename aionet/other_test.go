//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package aionet_test

import (
	"errors"
	"testing"

	"github.com/seed8b1f0744/aio/aionet"
)

func TestUnsupported(t *testing.T) {
	if _, err := aionet.Dial(t.Context(), "tcp", "127.0.0.1:9"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Dial: %v", err)
	}
	if _, err := aionet.Listen(t.Context(), "tcp", "127.0.0.1:0"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Listen: %v", err)
	}
}

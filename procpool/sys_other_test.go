//go:build !unix

package procpool_test

import (
	"errors"
	"testing"

	"github.com/seed8b1f0744/aio/procpool"
)

func TestNew_unsupported(t *testing.T) {
	procpool.Main()
	if p, err := procpool.New(procpool.Config{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, %v", p, err)
	}
}

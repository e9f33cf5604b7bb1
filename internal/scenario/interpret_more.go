package scenario

import (
	"context"
	"fmt"

	"github.com/seed8b1f0744/aio"
)

// Unsupported lists what the Go side cannot do yet.
var unsupported = map[string]bool{"gatherall": true, "completed": true, "shield": true}

func (w *world) waitMore(ctx context.Context, who string, s *Step) (string, error) {
	return "", fmt.Errorf("unsupported")
}

var _ aio.State

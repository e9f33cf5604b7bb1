package aio

import (
	"context"
	"testing"
)

// A future that is not done when the range is left keeps no place of it.
func TestAsCompleted_leavesNoWatcher(t *testing.T) {
	done, never := NewPromise[int](), NewPromise[int]()
	done.Resolve(1)
	for range AsCompleted(context.Background(), never, done) {
		if never.watchers.first == nil {
			t.Error("nobody watches what is waited for")
		}
		break
	}
	if never.watchers.first != nil {
		t.Error("a watcher was left behind")
	}
}

package refire

import "testing"

// TestGate_roomGrowsBackByWhatItOwes: while more are under way than there is room for, a larger room lets nobody in but only owes less.
func TestGate_roomGrowsBackByWhatItOwes(t *testing.T) {
	g := newGate(t.Context(), Origin{Scheme: "http", Host: "h", Port: 80}, 16, 0, Breaker{})
	for range 4 {
		if !g.room.TryAcquire() {
			t.Fatal("no room for four of sixteen")
		}
	}
	for _, ramp := range []int{2, 3, 4} {
		g.ramp = ramp
		g.resize()
		if g.room.TryAcquire() {
			t.Fatalf("a fifth is let in where there is room for %d", ramp)
		}
	}
	g.ramp = 5
	g.resize()
	if !g.room.TryAcquire() || g.room.TryAcquire() {
		t.Error("with room for five there is not one more")
	}
}

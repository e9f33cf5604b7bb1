package aiotest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// The same program on a Clock and on the machine's clock in a bubble does the same at the same times.
func TestClock_asInABubble(t *testing.T) {
	events := 0
	for seed := range uint64(200) {
		virtual := playOn(t, seed, aio.WithClock(aiotest.NewClock(time.Time{})))
		var bubbled []string
		synctest.Test(t, func(t *testing.T) { bubbled = playOn(t, seed) })
		events += len(virtual)
		for i := range max(len(virtual), len(bubbled)) {
			if i >= len(virtual) || i >= len(bubbled) || virtual[i] != bubbled[i] {
				t.Fatalf("seed %d: event %d differs\nclock:  %v\nbubble: %v", seed, i, virtual[i:], bubbled[i:])
			}
		}
	}
	if events < 10_000 {
		t.Errorf("only %d events in all", events)
	}
}

func playOn(t *testing.T, seed uint64, opts ...aio.Option) []string {
	p := &play{r: rand.New(rand.NewPCG(seed, 0))}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		p.began = aio.Now(ctx)
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			p.act(ctx, "main", 3)
			return nil
		})
	}), opts...)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	return p.events
}

// play is a random program: a tree of tasks that sleep, set timers and deadlines, cancel and wait for each other.
type play struct {
	r      *rand.Rand
	began  time.Time
	events []string
	doors  [3]aio.Event
}

func (p *play) log(ctx context.Context, format string, args ...any) {
	p.events = append(p.events, fmt.Sprintf("%v %s", aio.Now(ctx).Sub(p.began), fmt.Sprintf(format, args...)))
}

// some is a duration out of few, so that many are equal.
func (p *play) some() time.Duration {
	return []time.Duration{0, 1, 1, time.Millisecond, time.Millisecond, time.Second, time.Hour, 1000 * time.Hour}[p.r.IntN(8)]
}

func (p *play) act(ctx context.Context, name string, depth int) {
	var last *aio.Task[struct{}]
	for i := range 8 {
		step := fmt.Sprintf("%s.%d", name, i)
		d := p.some()
		switch p.r.IntN(8) {
		case 0, 1:
			p.log(ctx, "%s slept %v: %v", step, d, aio.Sleep(ctx, d))
		case 2:
			l, _ := aio.LoopOf(ctx)
			h := l.CallLater(d, func() { p.log(ctx, "%s was due", step) })
			if p.r.IntN(4) == 0 {
				p.log(ctx, "%s cancelled: %v", step, h.Cancel())
			}
		case 3:
			timeout, cancel := aio.WithTimeout(ctx, d)
			p.log(ctx, "%s waited under a deadline: %v", step, p.doors[p.r.IntN(3)].Wait(timeout))
			cancel()
		case 4:
			door := &p.doors[p.r.IntN(3)]
			door.Set()
			p.log(ctx, "%s opened a door", step)
			if p.r.IntN(2) == 0 {
				door.Clear()
			}
		case 5:
			if last != nil {
				p.log(ctx, "%s cancels the last task: %v", step, last.Cancel(nil))
			}
		default:
			if depth > 0 {
				last = aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					p.act(ctx, step, depth-1)
					return nil
				}))
			}
		}
	}
	p.log(ctx, "%s is over: %v", name, ctx.Err())
}

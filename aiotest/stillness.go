package aiotest

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// stillness tells of a test in which nothing may ever happen again: its loop waits, nothing is due,
// and nobody holds its clock. Otherwise a forgotten Set is found by go test's timeout, after ten
// minutes. It tells once, and fails nothing: a goroutine that is neither a loop's nor in a call on an
// executor may be on its way, which a clock can't see.
//
// It looks once per second of real time, so it sees a stillness of one to two seconds. It takes no
// part in the test's own time.
type stillness struct {
	t      testing.TB
	clock  *Clock
	stderr io.Writer // for where t's log is seen only when the test has ended

	mu    sync.Mutex
	loop  *aio.Loop   // guarded by mu, as all of these; nil: there is nothing to look at
	timer *time.Timer // nil: whoever tests this calls look
	waits uint64      // how many there had been when the clock was still at the last look; 0: it was not
}

// often is how long a look is after the one before.
const often = time.Second

func newStillness(t testing.TB, clock *Clock) *stillness {
	return &stillness{t: t, clock: clock, stderr: os.Stderr}
}

// watch begins to look at l. In a testing/synctest bubble nobody need look: the bubble itself finds
// out, and a timer would keep it from that.
func (s *stillness) watch(l *aio.Loop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loop = l
	if !inBubble() {
		s.timer = time.AfterFunc(often, s.look)
	}
}

// over ends it: when it returns, t's log is not written to any more.
func (s *stillness) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loop = nil
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *stillness) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loop == nil {
		return
	}
	before := s.waits
	if s.waits = s.clock.still(); s.waits != 0 && s.waits == before {
		s.tell()
		s.loop = nil
		return
	}
	if s.timer != nil {
		s.timer.Reset(often)
	}
}

// tell is called with mu held.
func (s *stillness) tell() {
	const most = 20
	text := "aiotest: for a second of real time nothing has been due or on its way, so that this test may never end; in a synctest bubble it would fail at once. What waits:"
	tasks := s.loop.Tasks()
	for i, info := range tasks {
		if i == most {
			text += fmt.Sprintf("\n\tand %d more tasks", len(tasks)-most)
			break
		}
		text += fmt.Sprintf("\n\t%s: %s", info.Name, strings.TrimPrefix(info.State+": "+info.On, "waiting: "))
	}
	s.t.Logf("%s", text)
	if !testing.Verbose() { // go test's timeout shows no test's log
		fmt.Fprintf(s.stderr, "%s: %s\n", s.t.Name(), text)
	}
}

// still reports whether everybody who goes by the clock waits for something that has no time: then it
// is how many have begun to wait so far, which is another number once somebody has gone on.
func (c *Clock) still() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds > 0 || len(c.waits) == 0 {
		return 0
	}
	for _, w := range c.waits {
		if w.timed() || w.woken() {
			return 0
		}
	}
	return c.begun
}

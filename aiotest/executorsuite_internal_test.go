package aiotest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Ways to break a promise of an executor, the case that must find it, what that says, and the cases
// that may meet it, too. No other may.
var brokenExecutors = []struct {
	how  fault
	must string
	says string
	may  []string
}{
	{losesCalls, "run once", `of 1000 accepted calls were not run, or more than once`, []string{"many at once", "close among many"}},
	{runsTwice, "run once", `of 1000 accepted calls were not run, or more than once`, []string{"many at once", "close among many"}},
	{losesOfMany, "many at once", `of 1200 accepted calls were not run, or more than once`, []string{"close among many", "room is not lost", "close ends waits"}},
	{runsInSubmit, "elsewhere", `Submit did not return before the first one did`, []string{"room in a task", "room in a callback", "ctx ends meanwhile",
		"room is not lost", "close again", "close waits", "close in a task", "failing calls", "a loop's executor"}},
	{refusesFirst, "elsewhere", `the first Submit is: busy`, anyCase},
	{forgetsCancelled, "ctx ends later", `accepted calls were not run; their ctx had ended after their Submit returned nil`, nil},
	{ignoresEndedContext, "ctx has ended", `Submit under a ctx that has ended with "context canceled": <nil>`, nil},
	{ignoresEndedInTasks, "ctx has ended", `Submit in a task, under a ctx that was cancelled: <nil>`, nil},
	{runsUnderEndedContext, "ctx has ended", `3 calls were run whose Submit returned the error of their ctx`, nil},
	{runsUnaccepted, "refused", `a call was run whose Submit had returned an error`, nil},
	{refusesInItsWords, "room", `calls had room, and the next Submit, with a ctx that has not ended and before Close, is: busy`, []string{"run once", "failing calls", "many at once", "close among many", "a loop's executor"}},
	{stopsServingRoom, "room", `Submit waited for room, and did not return when all calls had`, []string{"run once", "room in a task", "room is not lost", "close ends waits",
		"nothing is left", "failing calls", "many at once", "close among many"}},
	{breaksWhenFull, "room", `Submit, when all calls had returned: gone`, anyCase},
	{tasksBeyondRoom, "room in a task", `Submit in a task returned while there was no room`, []string{"ctx ends meanwhile"}},
	{blocksForRoom, "room in a task", `a task waited for room, and its loop, which should have opened the gate meanwhile, stood still`, []string{"room in a callback", "ctx ends meanwhile"}},
	{callbacksBeyondRoom, "room in a callback", `Submit in a callback was accepted while there was no room`, nil},
	{blocksCallbacks, "room in a callback", `Submit in a callback waited for room, and so the loop stood still`, nil},
	{deafForRoom, "ctx ends meanwhile", `Submit waited for room and its ctx ended: it did not return`, []string{"room in a callback", "room is not lost"}},
	{keepsPlaceOfCancelled, "room is not lost", `did not return when all calls had`, nil},
	{stopsInItsWords, "ctx ends meanwhile", `its ctx ended by its deadline: gone`, nil},
	{stopsTasksInItsWords, "ctx ends meanwhile", `a task waited for room and was cancelled: its Submit returned gone`, nil},
	{keepsRoomOfCancelled, "room is not lost", `waited`, nil},
	{acceptsWhenClosed, "closed", `Submit after Close: <nil>`, aroundClose},
	{closedInItsWords, "closed", `Submit after Close: gone`, []string{"close ends waits", "close among many"}},
	{closedInItsWords, "close among many", `Submit while the executor is closed: gone`, []string{"close ends waits", "closed"}},
	{closedForTasksInItsWords, "closed", `Submit after Close, in a task: gone`, nil},
	{runsWhenClosed, "closed", `calls were run that were submitted after Close`, []string{"refused", "close ends waits", "close among many"}},
	{closesAtOnce, "close waits", `accepted calls had not`, aroundClose},
	{closesOnRunning, "close waits", `accepted calls had not`, aroundClose},
	{closesOnFirst, "close waits", `Close returned when one call had, and`, aroundClose},
	{idleIsDrained, "close waits", `accepted calls had not`, aroundClose},
	{closeFails, "close again", `one Close of several: gone`, anyCase},
	{closeFails, "run once", `Close: gone`, anyCase},
	{secondCloseAtOnce, "close again", `one of them returned before the call that was accepted`, nil},
	{secondClosePanics, "close again", `Close panicked when it was called again: closed twice`, nil},
	{forgetsWaitersAtClose, "close ends waits", `Submit waited for room when Close was called, and never returned`, aroundClose},
	{acceptsWhileClosing, "close ends waits", `accepted calls were not run`, aroundClose},
	{endsWaitsInItsWords, "close ends waits", `Submit waited for room when Close was called, and is: gone`, []string{"close among many"}},
	{closeBlocksLoop, "close in a task", `a call it waits for needs the task's loop, and that stood still`, nil},
	{leavesGoroutine, "nothing is left", `goroutines, one of them is`, nil},
	{diesOfGoexit, "failing calls", `after others had panicked or gone by runtime.Goexit`, nil},
	{refusesTasks, "a loop's executor", `Blocking: 0, busy, want 0`, []string{"ctx has ended", "room in a task", "ctx ends meanwhile", "closed", "close in a task", "failing calls", "many at once"}},
}

// aroundClose are cases that end by Close among calls, and can meet what is wrong with that.
var aroundClose = []string{"run once", "close waits", "close again", "close ends waits", "close in a task", "many at once", "close among many"}

// anyCase is for what is wrong everywhere.
var anyCase = func() (names []string) {
	for _, p := range executorPromises {
		names = append(names, p.name)
	}
	return names
}()

func TestExecutorPromises_canBeBroken(t *testing.T) {
	proven := map[string]bool{}
	for _, b := range brokenExecutors {
		proven[b.must] = true
		t.Run(fmt.Sprintf("%s/%s", b.must, b.how), func(t *testing.T) {
			for _, p := range executorPromises {
				switch found := findsInExecutor(t, p, b.how); {
				case p.name == b.must:
					explains(t, found, b.says, p.text)
				case len(found) > 0 && !slices.Contains(b.may, p.name):
					t.Errorf("the case %q failed", p.name)
				}
			}
		})
	}
	for _, p := range executorPromises {
		if !proven[p.name] {
			t.Errorf("nothing shows that the case %q can fail", p.name)
		}
	}
}

// findsInExecutor is what the case says of executors with that fault, of two sizes, for which it fails.
func findsInExecutor(t *testing.T, p promise[aio.Executor], how fault) (found []string) {
	for _, size := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			quit, end := context.WithCancel(context.Background())
			ex := &brokenExecutor{how: how, workers: size, room: 2 * size, quit: quit}
			seen := &recorder{TB: t}
			checking := inBackground(func() { p.run(seen, ex) })
			select {
			case <-checking.done:
			case <-time.After(2 * aeon):
				seen.Error(hangs)
			}
			end() // so that what hangs ends
			<-checking.done
			<-time.After(aeon)
			if seen.Failed() {
				found = append(found, seen.text)
				t.Logf("%s: %s", p.name, seen.text)
			}
		})
	}
	return found
}

// explains checks what a case has found: it must say what is wrong, and which promise that breaks. That
// it hangs is no finding of its own, as it then ends the test binary of whoever uses the suite.
func explains(t *testing.T, found []string, says, promise string) {
	t.Helper()
	if len(found) == 0 {
		t.Error("the case found nothing")
	}
	for _, text := range found {
		if strings.HasPrefix(text, hangs) || !strings.Contains(text, says) || !strings.Contains(text, "the promise: "+promise) {
			t.Errorf("the case says\n%s\nwant in it %q, and its promise", text, says)
		}
	}
}

// hangs is what is noted of a case that does not come to its end by itself.
const hangs = "the case hangs"

// Without a fault the executor keeps them all: it is the fault that each case finds.
func TestExecutorPromises_kept(t *testing.T) {
	for _, size := range []int{1, 4} {
		TestExecutor(t, func(testing.TB) aio.Executor {
			return &brokenExecutor{workers: size, room: 2 * size}
		})
	}
}

const (
	losesCalls               fault = "loses one call in 500"
	runsTwice                fault = "runs one call in 500 twice"
	runsInSubmit             fault = "runs a call in Submit"
	forgetsCancelled         fault = "forgets a call that waits when its ctx ends"
	ignoresEndedContext      fault = "accepts under a ctx that has ended"
	runsUnderEndedContext    fault = "runs what it refuses because ctx has ended"
	runsUnaccepted           fault = "runs what it refuses after waiting for room"
	refusesInItsWords        fault = "refuses for want of room in words of its own"
	stopsServingRoom         fault = "tells nobody of room"
	blocksForRoom            fault = "blocks tasks that wait for room"
	blocksCallbacks          fault = "blocks callbacks that wait for room"
	deafForRoom              fault = "does not look at ctx while it waits for room"
	keepsRoomOfCancelled     fault = "keeps a room for who was cancelled"
	acceptsWhenClosed        fault = "accepts calls when it is closed, and runs them"
	closedInItsWords         fault = "is closed in words of its own"
	closesAtOnce             fault = "does not wait in Close"
	closesOnRunning          fault = "waits in Close for what runs, and drops the rest"
	refusesFirst             fault = "refuses its first call"
	ignoresEndedInTasks      fault = "accepts in a task under a ctx that has ended"
	breaksWhenFull           fault = "is no good after it was full"
	tasksBeyondRoom          fault = "has room for tasks, always"
	callbacksBeyondRoom      fault = "has room for callbacks, always"
	keepsPlaceOfCancelled    fault = "tells of room whoever was cancelled while they waited, and nobody instead"
	stopsInItsWords          fault = "stops waiting for room in words of its own"
	stopsTasksInItsWords     fault = "stops tasks that wait for room in words of its own"
	closedForTasksInItsWords fault = "is closed for tasks in words of its own"
	runsWhenClosed           fault = "runs what it refuses because it is closed"
	closeFails               fault = "has an error in Close"
	endsWaitsInItsWords      fault = "ends in Close those who wait for room in words of its own"
	closesOnFirst            fault = "waits in Close for one call"
	idleIsDrained            fault = "does not wait in Close if it had nothing to do for a while"
	secondCloseAtOnce        fault = "waits in its first Close only"
	secondClosePanics        fault = "panics in its second Close"
	forgetsWaitersAtClose    fault = "forgets in Close those who wait for room"
	closeBlocksLoop          fault = "blocks a task's loop in Close"
	leavesGoroutine          fault = "leaves a goroutine behind"
	diesOfGoexit             fault = "loses a worker by runtime.Goexit"
	losesOfMany              fault = "loses a call when another comes at the same time"
	refusesTasks             fault = "refuses what a task submits"
	acceptsWhileClosing      fault = "accepts a call when it has just closed, and loses it"
)

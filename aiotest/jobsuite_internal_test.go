package aiotest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio/job"
)

// Ways to break a promise of a job executor, the case that must find it, what that says, and the cases
// that may meet it, too. No other may.
var brokenJobExecutors = []struct {
	how  fault
	must string
	says string
	may  []string
}{
	{cutsOutcomes, "outcome", `sent number 4 and 3000 bytes; got number 0 and 0 bytes`, nil},
	{jobsErrorIsIts, "failures", `Execute: the job failed`, []string{"deadline", "future", leavesNothing}},
	{errorsAsPanics, "failures", `the job returned an error with a sentinel: the outcome has`, []string{"ctx ends", "ctx ends meanwhile", "either", "accepted and stopped", "deadline", "future"}},
	{panicsAsErrors, "failures", `the job panicked: the outcome has`, nil},
	{refusedAsDone, "failures", `the job's result cannot travel: the outcome has no error`, []string{"strange calls"}},
	{refusedAsErrors, "failures", `the job's result cannot travel: the outcome has`, []string{"strange calls"}},
	{refusedAsErrors, "strange calls", `Execute of a payload that is not an argument: the outcome has`, []string{"failures"}},
	{unknownAsErrors, "strange calls", `Execute of a name that no job has: the outcome has`, nil},
	{noAnswerToDamage, "strange calls", `Execute of a payload that is not an argument: the job failed; that belongs into the outcome`, []string{"failures"}},
	{noAnswerToUnknown, "strange calls", `that belongs into the outcome`, nil},
	{diesOfGoexit, "goexit", `Execute did not return: its job went by runtime.Goexit`, []string{"either"}},
	{hidesGoexit, "goexit", `Execute of a job that goes by runtime.Goexit: <nil>`, []string{"either"}},
	{hidesGoexit, "either", `an outcome of 0 bytes and the error <nil>: its job's errand: runtime.Goexit`, []string{"goexit"}},
	{changesPayload, "payload", `after Execute the call's payload is another`, []string{"same call again"}},
	{reusesBuffers, "outcome is kept", `an outcome is another after later calls`, []string{"same call again", "many at once"}},
	{smallFrames, "big", `sent 1048576 bytes to a job that returns them: got 0 bytes`, nil},
	{knowsIDs, "same call again", `Execute of the same call, number`, []string{"strange calls"}},
	{mixesOutcomes, "many at once", `the outcome of call`, []string{"same call again"}},
	{runsTwice, "many at once", `one was run 2 times`, nil},
	{blocksLoop, "task", `a task is in Execute, and its loop, which should have the job go on, stands still`, []string{"callback", "ctx ends", "close in a task", "many at once"}},
	{blocksCallbacks, "callback", `Execute in a callback waits, and so the loop stands still`, nil},
	{startsInCallbacks, "callback", `a job was run, and should not have been: its Execute was called in a callback`, nil},
	{busyInCallbacks, "callback", `Execute in a callback: busy`, nil},
	{ignoresEndedContext, "ctx has ended", `Execute under a ctx that has ended with "context canceled": <nil>`, []string{"either"}},
	{runsUnderEndedContext, "ctx has ended", `a job was run, and should not have been`, []string{"accept has ended"}},
	{deafToContext, "ctx ends", `Execute did not return: its ctx was cancelled while the job ran`, []string{"either", "job stops", "ctx ends meanwhile", leavesNothing, "accepted and stopped", "future"}},
	{leavesJobs, "job stops", `a job went on: the ctx of its Execute was cancelled`, []string{"accepted and stopped", "future", leavesNothing, "ctx ends", "ctx ends meanwhile", "either", "callback", "accept waits"}},
	{runsCancelled, "ctx ends meanwhile", `a job was run, under a ctx that does not end, after Execute had returned the error of its ctx`, []string{"accept waits"}},
	{dropsDeadlines, "deadline", `the job's is in 0s (0: none)`, nil},
	{acceptsWhenClosed, "closed", `Execute after Close: <nil>`, []string{"either", "accept has ended"}},
	{closesAtOnce, "close waits", `Close returned while a job ran`, []string{"close again"}},
	{cancelsInClose, "close waits", `while a job ran`, []string{"close again"}},
	{closesOnFirst, "close waits", `Close returned while a job ran`, nil},
	{idleIsDrained, "close waits", `Close returned while a job ran`, nil},
	{secondCloseAtOnce, "close again", `one of them returned while a job ran`, nil},
	{secondClosePanics, "close again", `Close panicked when it was called again: closed twice`, nil},
	{closeFails, "close again", `one Close of several: gone`, anyJobCase},
	{closeFails, "outcome", `Close: gone`, anyJobCase},
	{closeBlocksLoop, "close in a task", `a task is in Close, and its loop, which should have the job go on, stands still`, nil},
	{leavesGoroutine, leavesNothing, `goroutines, one of them is`, nil},
	{refusesTasks, "future", `the result of errand 1: 0, busy`, []string{"accept waits"}},
	{acceptsForItsContext, "accept", `no outcome of an accepted call, the ctx of Accept had ended since: true: context canceled`, nil},
	{acceptsClosed, "accept has ended", `Accept: <nil>, want aio: closed`, nil},
	{blocksForRoom, "accept waits", `a task in Accept waits for room, and its loop, which should make some, stands still`, []string{"ctx ends meanwhile"}},
	{deafForRoom, "accept waits", `Accept waited for room, and its ctx ended: it did not return`, []string{"ctx ends meanwhile"}},
	{deafAccepted, "accepted and stopped", `Execute did not return: its ctx was cancelled while the job ran`, []string{"future", "accept waits"}},
}

// anyJobCase is for what is wrong everywhere.
var anyJobCase = func() (names []string) {
	for _, p := range jobPromises {
		names = append(names, p.name)
	}
	return names
}()

func TestJobPromises_canBeBroken(t *testing.T) {
	proven := map[string]bool{}
	for _, b := range brokenJobExecutors {
		proven[b.must] = true
		t.Run(fmt.Sprintf("%s/%s", b.must, b.how), func(t *testing.T) {
			for _, p := range jobPromises {
				switch found := findsInJobs(t, p, b.how); {
				case p.name == b.must:
					explains(t, found, b.says, p.text)
				case len(found) > 0 && !slices.Contains(b.may, p.name):
					t.Errorf("the case %q failed", p.name)
				}
			}
		})
	}
	for _, p := range jobPromises {
		if !proven[p.name] {
			t.Errorf("nothing shows that the case %q can fail", p.name)
		}
	}
}

// Without a fault the executor keeps them all, in bubbles and elsewhere.
func TestJobPromises_kept(t *testing.T) {
	TestJobExecutor(t, func(testing.TB) job.Executor { return newBrokenJobs("", 2, nil) })
	for _, p := range jobPromises {
		if len(findsInJobs(t, p, "")) > 0 {
			t.Errorf("the case %q fails in a bubble, for an executor without a fault", p.name)
		}
	}
}

// findsInJobs is what the case says of executors with that fault, of two sizes, for which it fails.
func findsInJobs(t *testing.T, p promise[*jobTrial], how fault) (found []string) {
	for _, size := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			quit, end := context.WithCancel(context.Background())
			seen := &recorder{TB: t}
			checking := inBackground(func() {
				checkJobs(seen, p, func(testing.TB) job.Executor { return newBrokenJobs(how, size, quit) }, false, synctest.Wait)
			})
			select {
			case <-checking.done:
			case <-time.After(aeon):
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

const (
	cutsOutcomes         fault = "cuts outcomes of a few thousand bytes"
	jobsErrorIsIts       fault = "has a job's error for its own"
	errorsAsPanics       fault = "takes a job's errors for panics"
	panicsAsErrors       fault = "takes a job's panics for errors"
	refusedAsDone        fault = "takes for done what could not travel"
	refusedAsErrors      fault = "takes for a job's error what could not travel"
	unknownAsErrors      fault = "takes for a job's error that there is no such job"
	noAnswerToDamage     fault = "has an error for a payload that is damaged"
	noAnswerToUnknown    fault = "has an error for an unknown name"
	hidesGoexit          fault = "returns nothing when a job goes by runtime.Goexit"
	changesPayload       fault = "writes to payloads"
	reusesBuffers        fault = "uses an outcome's memory again"
	smallFrames          fault = "cuts what is larger than a megabyte"
	knowsIDs             fault = "refuses an ID that it knows"
	mixesOutcomes        fault = "mixes up the outcomes of calls at the same time"
	blocksLoop           fault = "blocks a task's loop in Execute"
	startsInCallbacks    fault = "starts the job of an Execute in a callback, and then refuses to wait for it"
	busyInCallbacks      fault = "refuses an Execute in a callback with an error of its own"
	deafToContext        fault = "does not look at ctx while the job runs"
	leavesJobs           fault = "has a job go on when the ctx of its call ends"
	runsCancelled        fault = "runs calls whose ctx has ended while they waited"
	dropsDeadlines       fault = "drops the caller's deadline"
	cancelsInClose       fault = "ends the jobs in Close"
	acceptsForItsContext fault = "forgets an accepted call when the ctx of its Accept ends"
	acceptsClosed        fault = "accepts when it is closed"
	deafAccepted         fault = "does not look at the ctx under which an accepted call's outcome is waited for"
)

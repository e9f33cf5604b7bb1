// Package aiotest helps to test what runs on package aio's loops: virtual time, on which an hour
// takes no time and every run is the same; and suites that other people's clocks and executors must
// pass: [TestClock], [TestExecutor], [TestJobExecutor].
//
//	func TestRetry(t *testing.T) {
//		aiotest.Run(t, func(ctx context.Context) error {
//			...
//			return aio.Sleep(ctx, time.Hour) // returns at once
//		})
//	}
//
// Only what aio does with time is virtual: time.Sleep, time.After and context.WithTimeout go by the
// machine's clock, in a test as elsewhere; aio has Sleep, CallLater and WithTimeout instead. A
// context.WithTimeout of an hour so never fires, however many virtual hours are slept under it: a test
// of a timeout passes and shows nothing. [aio.WithTimeout] is virtual, whatever the context it is given.
//
// A [Clock] needs no bubble of testing/synctest, and works in one. Which to take: in a bubble time
// passes when all of its goroutines wait, so it suits code that starts goroutines of its own, and
// cannot tell a socket that somebody will write to from one that nobody will. A Clock asks the loops
// only: it suits code with files and processes, which wait for the real world in calls on executors,
// and knows nothing of other goroutines. So a test in which all wait for what never comes
// fails at once in a bubble; with a Clock it hangs, [Run] says after a second what waits, and go
// test's -timeout ends it. Where no goroutine but the loop's takes part, have both: Run in a bubble.
//
// What waits for package aionet's connections, by [aio.Loop.AddReader] or in [aio.Readable] waits in the
// loop, not in calls. Where both ends are on one loop, take a Clock: what one task has written and another has to
// read takes no time, however long the limit. That is certain of pipes and unix sockets; TCP on the
// loopback interface mostly delivers a message before the write returns, but may hold back what is
// more than its buffers take, and time may pass then. A peer elsewhere is not seen: a server in
// another goroutine, process or loop takes real time to answer, in which the Clock jumps to the next
// timeout. Move it to the loop; have it work in [aio.Blocking], which holds the Clock; or test it in
// real time. In a bubble a task that waits for a socket holds time still.
package aiotest

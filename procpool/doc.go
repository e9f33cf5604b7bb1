// Package procpool runs named jobs in child processes: Python's ProcessPoolExecutor. It is the place
// for what needs a core of its own, leaks, crashes, or must be stoppable from outside: a call that is
// cancelled ends with its process, whatever the code in it does.
//
// The workers are the program itself, started again. So its first statement has to be [Main], which
// in a worker serves calls and never returns:
//
//	var resize = job.Define("resize", func(ctx context.Context, in Image) (Image, error) { ... })
//
//	func main() {
//		procpool.Main()
//		pool, err := procpool.New(procpool.Config{})
//		...
//		defer pool.Close()
//		small := resize.In(ctx, pool, large) // a future, see package job
//	}
//
// The same in TestMain, if tests use a pool. Package-level variables are made in every worker too;
// what they hold is the worker's own.
//
// # What a worker is
//
// A worker runs one call at a time, on the goroutine of main. It has the parent's working directory
// and, if Config.Env says nothing else, environment, but not its arguments: os.Args is the
// program's name alone, so what came by a flag travels in a job's argument. Standard input is
// empty. What a job prints goes to the parent's standard output as it is. Standard error goes
// through the parent (Config.Stderr), whole lines at a time. Calls travel on descriptors of their
// own, so printing disturbs nothing. No other descriptor that Go opened gets into a worker, and
// none of a worker's own into what a job starts.
//
// A worker is a process group of its own: Ctrl-C reaches the parent alone, which decides. What is
// left of the group is killed with its worker; on Linux also when the worker ended by itself. Workers
// end when the parent does, even if that was killed: they notice the end of a pipe, and Linux kills
// them.
//
// # When a worker ends
//
// A call whose worker ends under it fails with [*WorkerDied]; the others go on, and another worker is
// started when it is needed. A call is never run twice: one whose worker died may have been run, in
// part or as a whole. Only what no worker can have read is given to another.
//
// Windows, Plan 9 and wasm have no way to hand descriptors to a child that Go offers; there [New] is
// errors.ErrUnsupported.
package procpool

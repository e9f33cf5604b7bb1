package invariant

import "fmt"

// Check panics if checks run in this build and ok is false; what and args, as
// for fmt.Sprintf, say which promise is broken and by which values. It does
// not suspend and may be called from any goroutine.
//
// Without checks the call costs nothing, but its arguments are evaluated where
// the compiler cannot prove them free of effects: a condition that calls
// functions goes under "if invariant.Enabled". With checks, numbers among args
// are boxed on every call.
func Check(ok bool, what string, args ...any) {
	if Enabled && !ok {
		fail(what, args)
	}
}

// fail is apart from Check so that only the comparison is inlined.
//
//go:noinline
func fail(what string, args []any) {
	panic("aio: invariant broken: " + fmt.Sprintf(what, args...) + " (a bug in aio, please report it with this stack)")
}

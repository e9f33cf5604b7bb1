// Package job names functions, so that they can be called where a closure cannot go: in another
// process, on another machine.
//
// A job is defined under a name in a package-level variable, so that every program that has the
// package, and above all the same program started again as a worker, knows it:
//
//	var resize = job.Define("resize", func(ctx context.Context, in Args) (Out, error) { ... })
//
// [Job.In] encodes the argument, has an [Executor] carry it to somewhere that calls [Serve], and
// returns the result to come. [Local] runs jobs in this process.
//
// # What travels
//
// The argument and the result travel as values: numbers, strings, slices, arrays, maps, structs of
// them and pointers to them, exactly (nil stays nil, empty stays empty). What two pointers share is
// two copies on the other side.
//   - A type with MarshalBinary and UnmarshalBinary, or with GobEncode and GobDecode, is what these
//     make of it. So a time.Time keeps its instant and its offset from UTC, but not the name of its
//     zone and not its monotonic reading: compare it with Equal. A type whose fields cannot travel
//     may have MarshalText and UnmarshalText instead.
//   - An error, as a result or in one, keeps its text and the sentinels that it is ([Sentinel]).
//   - Other interfaces may hold numbers, strings, []byte, time.Time, []any and map[string]any, or a
//     type that both sides have told gob.Register: that very type, as gob does not tell it from a
//     pointer to it, and one whose zero value gob can encode.
//   - Values are nested 10,000 deep at most; one that contains itself is an error.
//   - A function, a channel or an unexported field is an [*EncodeError], before anything is sent.
//     Tag a field `job:"-"` to leave it behind.
//
// Of the context, its end and its deadline travel, its values do not.
//
// # Two builds
//
// The two sides may be different builds. Fields are matched by name; a field that only the receiver
// has is zero, and one that it does not have must be, or else the call fails: nothing is lost in
// silence.
package job

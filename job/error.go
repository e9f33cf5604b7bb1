package job

import (
	"fmt"
)

// UnknownError says that the other side has no job of that name.
type UnknownError struct {
	Name string // of the job
	near string // names that it has, for people
}

func (e *UnknownError) Error() string {
	text := fmt.Sprintf("aio: the other side has no job %q", e.Name)
	if e.near != "" {
		text += "; it has " + e.near
	}
	return text + ": is the job defined in a package-level variable of a package that the worker's program imports, and is that program of the same build?"
}

// EncodeError says that the argument or the result of the job Name cannot travel, and why.
type EncodeError struct {
	Name string
	Err  error // the reason
}

func (e *EncodeError) Error() string { return fmt.Sprintf("aio: job %q: %v", e.Name, e.Err) }

// Unwrap is Err.
func (e *EncodeError) Unwrap() error { return e.Err }

// RemoteError is an error that a job returned on the other side: its text. errors.Is holds for what
// the error was there, as far as that was registered with [Sentinel].
type RemoteError struct {
	Text string   // what Error returned there
	is   *[]error // what errors.Is and errors.As find; nil: nothing. A pointer, so that the type stays comparable
}

func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns the sentinels that the error is.
func (e *RemoteError) Unwrap() []error {
	if e.is == nil {
		return nil
	}
	return *e.is
}

// Sentinel makes err recognisable across the wire under its name, and returns it. Call it in a
// package-level variable, of a package that both sides have:
//
//	var ErrNoSuchUser = job.Sentinel("no such user", errors.New("no such user"))
//
// It panics if err is nil or the name is taken or not printable. It does not suspend.
func Sentinel(name string, err error) error {
	if err == nil {
		panic(fmt.Sprintf("aio: sentinel %q needs an error, got nil", name))
	}
	sentinels.add("sentinel", entry{name: name, where: caller(), err: err})
	return err
}

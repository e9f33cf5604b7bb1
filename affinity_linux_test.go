package aio_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"
)

// States that Linux binds to a thread, and that libraries do as well: what is told to the kernel by one thread holds for that one only.
func init() {
	bondKinds = append(bondKinds,
		bondKind{"name", nameBond},
		bondKind{"signal mask", maskBond},
		bondKind{"folder of its own", folderBond},
	)
}

var bondCount atomic.Int64

// nameBond is what the thread is called (prctl).
func nameBond(testing.TB) bond {
	const setName, getName, size = 15, 16, 16
	name := fmt.Sprintf("aio bond %d", bondCount.Add(1))
	return bond{
		tie: func() error {
			var b [size]byte
			copy(b[:size-1], name)
			noteFirst()
			return called(syscall.RawSyscall(syscall.SYS_PRCTL, setName, uintptr(unsafe.Pointer(&b)), 0))
		},
		held: func() bool {
			var b [size]byte
			err := called(syscall.RawSyscall(syscall.SYS_PRCTL, getName, uintptr(unsafe.Pointer(&b)), 0))
			return err == nil && strings.TrimRight(string(b[:]), "\x00") == name
		},
		left: func() bool { return anyThread("comm", func(text string) bool { return text == name+"\n" }) },
	}
}

// maskBond is which signals are not delivered to the thread: here one of those for real time, which nobody else here blocks.
func maskBond(testing.TB) bond {
	const block, signal = 0, 50
	const mine, next = uint64(1) << (signal - 1), uint64(1) << signal
	return bond{
		tie: func() error {
			noteFirst()
			set := mine
			return called(syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, block, uintptr(unsafe.Pointer(&set)), 0, unsafe.Sizeof(set), 0, 0))
		},
		held: func() bool {
			var set uint64
			err := called(syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, block, 0, uintptr(unsafe.Pointer(&set)), unsafe.Sizeof(set), 0, 0))
			return err == nil && set&mine != 0
		},
		left: func() bool {
			return anyThread("status", func(text string) bool {
				var set uint64
				_, rest, _ := strings.Cut(text, "\nSigBlk:")
				_, err := fmt.Sscanf(rest, "%x", &set)
				return err == nil && set&(mine|next) == mine // the runtime's own thread for os/signal blocks nearly all
			})
		},
	}
}

// folderBond is a working directory that the thread does not share with the others any more: the same door, unshare, that leads to
// namespaces, and the only one that is open to everybody.
func folderBond(t testing.TB) bond {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return bond{
		tie: func() error {
			noteFirst()
			if err := syscall.Unshare(syscall.CLONE_FS); err != nil {
				return fmt.Errorf("this process may not unshare(CLONE_FS): %w", err)
			}
			return syscall.Chdir(dir)
		},
		held: func() bool {
			here, err := syscall.Getwd()
			return err == nil && here == dir
		},
		left: func() bool {
			return anyThreadFile(func(thread string) bool {
				here, err := os.Readlink(filepath.Join(thread, "cwd"))
				return err == nil && here == dir
			})
		},
	}
}

func called(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// anyThread reports whether ok holds for a file of any thread of the process.
func anyThread(file string, ok func(text string) bool) bool {
	return anyThreadFile(func(thread string) bool {
		text, err := os.ReadFile(filepath.Join(thread, file))
		return err == nil && ok(string(text))
	})
}

// firstTied is whether a test has ever tied the process's first thread. The runtime cannot end that, and lets it stand still for good
// instead, with what was done to it.
var firstTied atomic.Bool

func noteFirst() {
	if syscall.Gettid() == os.Getpid() {
		firstTied.Store(true)
	}
}

// anyThreadFile reports whether ok holds for any thread; the first one is not asked if it stands still.
func anyThreadFile(ok func(thread string) bool) bool {
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, thread := range threads {
		first := filepath.Base(thread) == fmt.Sprint(os.Getpid())
		if !(first && firstTied.Load()) && ok(thread) {
			return true
		}
	}
	return len(threads) == 0
}

// The tests above stand on these: each state is of one thread, and is not had by default.
func TestBonds_areOfOneThread(t *testing.T) {
	for _, k := range bondKinds {
		t.Run(k.name, func(t *testing.T) {
			b := k.make(t)
			done, first := make(chan error), false
			goOn := make(chan struct{})
			go func() {
				runtime.LockOSThread() // and not unlocked: nobody else should have it
				if b.held() {
					t.Error("a thread has the state before it is tied")
				}
				first = syscall.Gettid() == os.Getpid()
				err := b.tie()
				if err == nil && !b.held() {
					t.Error("a thread has not the state that it was tied to")
				}
				done <- err
				<-goOn
			}()
			err := <-done
			if err == nil && b.held() {
				t.Error("another thread has the state as well")
			}
			if err == nil && b.left != nil && !b.left() && !first {
				t.Error("the state is not found among those of all threads")
			}
			close(goOn)
			if err != nil {
				t.Skip(err)
			}
		})
	}
}

package procpool_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

type insideView struct {
	Files, ChildFiles map[string]string
	Env, Args         []string
	Dir, Name         string
}

// inside tells what a worker sees, and what a program does that it starts.
var inside = job.Define("inside", func(context.Context, int) (insideView, error) {
	dir, err := os.Getwd()
	if err != nil {
		return insideView{}, err
	}
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return insideView{}, err
	}
	v := insideView{Files: openFiles(), Env: os.Environ(), Args: os.Args, Dir: dir, Name: strings.TrimSpace(string(name))}
	child := exec.Command("/proc/self/exe")
	child.Env = as("files")
	out, err := child.Output()
	if err != nil {
		return v, err
	}
	v.ChildFiles = map[string]string{}
	for _, field := range strings.Fields(strings.Trim(strings.TrimSpace(string(out)), "map[]")) {
		fd, target, _ := strings.Cut(field, ":")
		v.ChildFiles[fd] = target
	}
	return v, nil
})

// inherited are the files that this process was started with, and passes on to whatever it starts:
// not even Go would know what for.
func inherited() (targets []string) {
	for fd, target := range openFiles() {
		const closeOnExec = 0o2000000
		var flags int
		info, _ := os.ReadFile("/proc/self/fdinfo/" + fd)
		_, rest, _ := strings.Cut(string(info), "flags:")
		if _, err := fmt.Sscanf(rest, "%o", &flags); err == nil && flags&closeOnExec == 0 {
			targets = append(targets, target)
		}
	}
	return targets
}

// The program's descriptors do not get into workers, nor those of a worker into what it starts.
func TestWorkers_seeOnlyTheirOwn(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/secret")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := pool(t, procpool.Config{Workers: 2, MinWorkers: 2, Env: append(os.Environ(), "PROCPOOL_TEST_FILE=x")})
	ctx := soon(t)
	eventually(t, "both workers serve", func() bool { return procpool.Idle(p) == 2 })
	v, err := inside.In(ctx, p, 0).Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if null := v.Files["0"]; null != os.DevNull {
		t.Errorf("standard input is %s", null)
	}
	if out := openFiles()["1"]; v.Files["1"] != out {
		t.Errorf("standard output is %s, not %s", v.Files["1"], out)
	}
	passedOn := inherited()
	for fd, target := range v.Files {
		switch {
		case slices.Contains([]string{"0", "1", "2"}, fd):
		case slices.Contains([]string{"3", "4", "5"}, fd):
			if !strings.HasPrefix(target, "pipe:") {
				t.Errorf("descriptor %s of a worker is %s", fd, target)
			}
		case fd == "6":
			if !strings.HasPrefix(target, "socket:") {
				t.Errorf("descriptor %s of a worker is %s", fd, target)
			}
		case slices.Contains(passedOn, target):
		case strings.HasPrefix(target, "anon_inode:"), strings.HasPrefix(target, "/proc/"), strings.HasPrefix(target, "/sys/fs/cgroup"):
		default:
			t.Errorf("a worker has descriptor %s: %s", fd, target)
		}
	}
	for fd, target := range v.ChildFiles {
		for _, own := range []string{"3", "4", "5", "6"} {
			if target == v.Files[own] {
				t.Errorf("what a worker started has its descriptor %s as %s", own, fd)
			}
		}
	}
	if len(v.ChildFiles) < 3 {
		t.Errorf("what a worker started has %v", v.ChildFiles)
	}
	if len(v.Args) != 1 || v.Args[0] != os.Args[0] {
		t.Errorf("a worker's arguments are %q", v.Args)
	}
	if !strings.HasPrefix(filepath.Base(os.Args[0]), v.Name) || v.Name == "exe" {
		t.Errorf("lists of processes show a worker as %q", v.Name)
	}
	here, _ := os.Getwd()
	if v.Dir != here || !slices.Contains(v.Env, "PROCPOOL_TEST_FILE=x") {
		t.Errorf("a worker is in %s, with environment %q", v.Dir, v.Env)
	}
	for _, variable := range v.Env {
		if strings.HasPrefix(variable, "AIO_PROCPOOL") {
			t.Errorf("what a worker starts would take itself for one: %s", variable)
		}
	}
}

// Ctrl-C is for the program to decide about.
func TestWorkers_haveTheirOwnProcessGroup(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	worker, err := pid.In(ctx, p, 0).Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	group, err := syscall.Getpgid(worker)
	if err != nil || group != worker || group == syscall.Getpgrp() {
		t.Errorf("worker %d is in group %d, the test in %d, %v", worker, group, syscall.Getpgrp(), err)
	}
}

// What a terminal does on Ctrl-C: the signal goes to the whole group of the program.
func TestCtrlC_programDecides(t *testing.T) {
	name := t.TempDir() + "/pid"
	program := programAs(t, "interrupted")
	program.Env = append(program.Env, "PROCPOOL_TEST_FILE="+name)
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	program.Stdout = &out
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	running(t, name)
	if err := syscall.Kill(-program.Process.Pid, syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := program.Wait(); err != nil || out.String() != "the job has ended with 7\n" {
		t.Errorf("got %q, %v", &out, err)
	}
}

// unaidedName is the environment variable of workers that see by themselves that their parent is gone.
const unaidedName = "PROCPOOL_TEST_UNAIDED"

// The initialisers of packages run on the thread that the process began with, which is the one that
// has the signal.
func init() {
	if os.Getenv(unaidedName) != "" {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, 0, 0); errno != 0 {
			panic(errno)
		}
	}
}

// Workers end with their program, however that ended, and whatever they do.
func TestWorkers_dieWithTheirParent(t *testing.T) {
	for _, c := range []struct {
		how  string
		stop bool
	}{{"busy", false}, {"stopped", true}, {"unaided", false}} {
		t.Run(c.how, func(t *testing.T) {
			name := t.TempDir() + "/pid"
			parent := programAs(t, "dies")
			parent.Env = append(parent.Env, "PROCPOOL_TEST_FILE="+name)
			if c.how == "unaided" {
				parent.Env = append(parent.Env, unaidedName+"=yes")
			}
			stdout, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			workers := []int{running(t, name+".0"), running(t, name+".1")}
			if c.stop {
				halt(t, workers[0])
			}
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			// Workers have the same standard output: it ends with the last of them.
			if rest, err := io.ReadAll(bufio.NewReader(stdout)); err != nil || len(rest) > 0 {
				t.Errorf("read %q, %v", rest, err)
			}
			if err := parent.Wait(); err == nil {
				t.Error("the parent ended by itself")
			}
			for _, worker := range workers {
				eventually(t, "the worker is gone", func() bool { return gone(worker) })
			}
		})
	}
}

package interop_test

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// postgresServer starts a PostgreSQL on a unix socket for the time of the test, and returns the folder of the socket.
// Everybody may log in as the user aio.
func postgresServer(t *testing.T) (dir string) {
	t.Helper()
	initdb, postgres := postgresProgram(t, "initdb"), postgresProgram(t, "postgres")
	attr := asPostgres(t)
	dir = t.TempDir()
	if attr.Credential != nil { // who must be able to get there
		dir = inReachOf(t, attr.Credential)
	}
	data := filepath.Join(dir, "data")
	command := func(program string, args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		copied := *attr
		cmd.Dir, cmd.SysProcAttr = dir, &copied
		cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return cmd
	}
	init := command(initdb, "-D", data, "-U", "aio", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := command(postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB")
	start(t, server, "database system is ready to accept connections", syscall.SIGINT) // which does not wait for clients
	return dir
}

// postgresProgram is one of PostgreSQL's: Debian has all but the clients in a folder for each version.
func postgresProgram(t *testing.T, name string) string {
	t.Helper()
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); err == nil && len(found) > 0 {
		return found[len(found)-1]
	}
	found, err := exec.LookPath(name)
	if err != nil {
		lacks(t, "there is no "+name+": install PostgreSQL, Debian's package is postgresql")
	}
	return found
}

// asPostgres is as whom to run the server, which refuses to be run by root: then the user that the package has made.
func asPostgres(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return new(syscall.SysProcAttr)
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		lacks(t, "root can't run PostgreSQL, and there is no user postgres")
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, failed := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// inReachOf is a folder that belongs to somebody who can't enter t.TempDir. Its name is short enough for a socket's.
func inReachOf(t *testing.T, who *syscall.Credential) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "aio")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
		t.Fatal(err)
	}
	return dir
}

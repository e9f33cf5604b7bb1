package interop_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
	command := func(ctx context.Context, program string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.WaitDelay = time.Second // for what it has started, if it had to be killed
		copied := *attr
		cmd.Dir, cmd.SysProcAttr = dir, &copied
		cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return cmd
	}
	ctx := soon(t)
	init := command(ctx, initdb, "-D", data, "-U", "aio", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", errors.Join(err, context.Cause(ctx)), out)
	}
	server := command(context.Background(), postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB")
	ask := func() string { return activity(dir) }
	view.Store(&ask)
	t.Cleanup(func() { view.Store(nil) })
	start(t, server, "database system is ready to accept connections", syscall.SIGINT) // which does not wait for clients
	return dir
}

// activity is what the server says that it does for its clients, asked by a connection of package net's.
func activity(dir string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, "user=aio dbname=postgres sslmode=disable host="+dir)
	if err != nil {
		return fmt.Sprint("PostgreSQL does not answer: ", err)
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, `select format('%s, %s, waits for %s, for %s: %s', pid, state, coalesce(wait_event, 'nothing'), now() - state_change, query)
		from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`)
	if err != nil {
		return fmt.Sprint("PostgreSQL does not tell what it does: ", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Sprint("PostgreSQL does not tell what it does: ", err)
	}
	return "PostgreSQL's clients:\n" + strings.Join(lines, "\n")
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

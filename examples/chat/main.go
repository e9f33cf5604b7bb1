// Chat is a server of lines: what one client says, all others are told. SIGTERM and Ctrl-C end it
// gracefully: no one else is let in, and everybody gets the lines that are on their way, and a last one.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// room is who is there. Only tasks of one loop use it, and none waits while it does: it needs no lock.
type room struct {
	lines map[*aio.Queue[string]]bool // what each is still to be told
	over  bool
}

// backlog is how many lines a client may be behind.
const backlog = 100

// talk is one client. It reads; a task beside it writes what comes out of the queue, so that there are
// never two who write.
func (r *room) talk(ctx context.Context, conn *aionet.Conn) error {
	if r.over {
		return nil
	}
	lines := aio.NewQueue[string](backlog)
	r.lines[lines] = true
	writer := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
		defer conn.Close() // which ends the reading
		for line := range lines.All(ctx) {
			if _, err := fmt.Fprintln(conn, line); err != nil {
				return err
			}
		}
		return nil
	}))
	for in := bufio.NewScanner(conn); in.Scan(); {
		r.tell(in.Text(), lines)
	}
	delete(r.lines, lines)
	lines.Close()
	_, err := writer.Await(ctx)
	return err
}

// tell tells all but from. Who is too far behind has to go: a slow client must not hold up the others.
func (r *room) tell(line string, from *aio.Queue[string]) {
	for lines := range r.lines {
		if lines != from && lines.TryPut(line) != nil {
			delete(r.lines, lines)
			lines.Close()
		}
	}
}

// end lets everybody go, once they have been told all.
func (r *room) end() {
	r.over = true
	r.tell("the server ends", nil)
	for lines := range r.lines {
		lines.Close()
	}
}

// chat serves until one of signals comes.
func chat(ctx context.Context, l *aionet.Listener, signals ...os.Signal) error {
	loop, ok := aio.LoopOf(ctx)
	if !ok {
		return aio.ErrNoLoop
	}
	r := &room{lines: map[*aio.Queue[string]]bool{}}
	for _, s := range signals {
		// On the loop, between the steps of tasks.
		if err := loop.AddSignalHandler(s, func() { _ = l.Close(); r.end() }); err != nil {
			return err
		}
		defer loop.RemoveSignalHandler(s)
	}
	return aionet.Serve(ctx, l, r.talk) // which waits for its clients
}

func main() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:7000")
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Println("listening; in two other terminals: nc", "127.0.0.1", "7000")
		return chat(ctx, l, os.Interrupt, syscall.SIGTERM)
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

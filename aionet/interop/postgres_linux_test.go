package interop_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// Clients of PostgreSQL that know nothing of aio.
func TestPostgres(t *testing.T) {
	server := postgresServer(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, server string)
	}{
		{"pgx in tasks", pgxInTasks},
		{"pgx, a task that waits for another one", pgxNotified},
		{"pgx, cancelled", pgxCancelled},
		{"pgx's CopyFrom", pgxCopyFrom},
		{"database/sql and pq in tasks", pqInTasks},
		{"database/sql's pool", pqPool},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, server) })
	}
}

// dialPostgres connects pgx, which reads and writes in its caller's goroutine, by one of our connections.
func dialPostgres(ctx context.Context, server string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig("user=aio dbname=postgres sslmode=disable host=" + server)
	if err != nil {
		return nil, err
	}
	config.DialFunc = dialer.DialContext
	return pgx.ConnectConfig(ctx, config)
}

// A connection for each task.
func pgxInTasks(t *testing.T, server string) {
	run(t, func(ctx context.Context) error {
		return each(ctx, 10, func(ctx context.Context, i int) error {
			c, err := dialPostgres(ctx, server)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			if _, ours := c.PgConn().Conn().(*aionet.Conn); !ours {
				return fmt.Errorf("the connection is a %T", c.PgConn().Conn())
			}
			return usePgx(ctx, c, i)
		})
	})
}

// usePgx makes single statements, prepared ones, a transaction, many at once, and reads many rows.
func usePgx(ctx context.Context, c *pgx.Conn, i int) error {
	if _, err := c.Exec(ctx, "create temp table t (n int primary key, s text)"); err != nil {
		return err
	}
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	for n := range 20 {
		if _, err := tx.Exec(ctx, "insert into t values ($1, $2)", n, fmt.Sprint("row ", i, n)); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	batch := new(pgx.Batch)
	for n := range 130 {
		batch.Queue("insert into t values ($1, 'of a batch')", 20+n)
	}
	if err := c.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	rows, err := c.Query(ctx, "select n from t order by n")
	if err != nil {
		return err
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(got) != 150 || got[149] != 149 {
		return fmt.Errorf("read %d rows, %w", len(got), err)
	}
	sum := 0
	many, err := c.Query(ctx, "select n from generate_series(1, 20000) n")
	if err != nil {
		return err
	}
	for n := 0; many.Next(); sum += n {
		if err := many.Scan(&n); err != nil {
			return err
		}
	}
	if err := many.Err(); err != nil || sum != 200010000 {
		return fmt.Errorf("the sum of many rows is %d, %w", sum, err)
	}
	if c.QueryRow(ctx, "select 1 / $1::int", 0).Scan(&sum) == nil {
		return errors.New("a division by zero came to something")
	}
	return c.Ping(ctx) // it goes on after that
}

// A task that waits for what another one does, which the loop has to be free for.
func pgxNotified(t *testing.T, server string) {
	run(t, func(ctx context.Context) error {
		listens := aio.NewPromise[struct{}]()
		heard := aio.Go(ctx, func(ctx context.Context) (string, error) {
			c, err := dialPostgres(ctx, server)
			if err != nil {
				return "", err
			}
			defer c.Close(ctx)
			if _, err := c.Exec(ctx, "listen news"); err != nil {
				return "", err
			}
			listens.Resolve(struct{}{})
			n, err := c.WaitForNotification(ctx)
			if err != nil {
				return "", err
			}
			return n.Payload, nil
		})
		if _, err := listens.Await(ctx); err != nil {
			return err
		}
		c, err := dialPostgres(ctx, server)
		if err != nil {
			return err
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, "notify news, 'hello'"); err != nil {
			return err
		}
		got, err := heard.Await(ctx)
		if err != nil || got != "hello" {
			return fmt.Errorf("heard %q, %w", got, err)
		}
		return nil
	})
}

// waitsInServer lets others run until a statement that contains text waits for a lock, or sleeps.
func waitsInServer(ctx context.Context, c *pgx.Conn, text string) error {
	for n := 0; n == 0; {
		err := c.QueryRow(ctx, "select count(*) from pg_stat_activity where wait_event is not null and state = 'active' and query like $1 and pid <> pg_backend_pid()", text+"%").Scan(&n)
		if err != nil {
			return fmt.Errorf("no statement that begins with %q waits in the server: %w", text, err)
		}
	}
	return nil
}

// A task that's cancelled ends its call, and pgx its connection.
func pgxCancelled(t *testing.T, server string) {
	run(t, func(ctx context.Context) error {
		c, err := dialPostgres(ctx, server)
		if err != nil {
			return err
		}
		other, err := dialPostgres(ctx, server)
		if err != nil {
			return err
		}
		defer other.Close(ctx)
		task := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			_, err := c.Exec(ctx, "select pg_sleep(600)")
			return err
		}))
		if err := waitsInServer(ctx, other, "select pg_sleep"); err != nil {
			return err
		}
		task.Cancel(nil)
		_, err = task.Await(ctx) // pgx drops what a read fails with, unless it's a timeout: it says that the connection is closed
		if err == nil || !c.IsClosed() {
			t.Errorf("the call: %v, the connection is closed: %v; want an error, and true", err, c.IsClosed())
		}
		_, err = aio.Blocking(ctx, aio.Do(func(context.Context) error {
			<-c.PgConn().CleanupDone() // it tells the server in a goroutine of its own
			return nil
		}))
		return err
	})
}

// CopyFrom has goroutines read and write, and waits for them on channels: through Blocking.
func pgxCopyFrom(t *testing.T, server string) {
	setup := func(ctx context.Context) (c *pgx.Conn, err error) {
		if c, err = dialPostgres(ctx, server); err == nil {
			_, err = c.Exec(ctx, "create table if not exists copied (n int)")
		}
		return c, err
	}
	copies := func(ctx context.Context, c *pgx.Conn) error {
		source := pgx.CopyFromSlice(1000, func(i int) ([]any, error) { return []any{i}, nil })
		n, err := c.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"n"}, source)
		if err == nil && n != 1000 {
			err = fmt.Errorf("copied %d rows", n)
		}
		return err
	}
	locks := func(ctx context.Context, c *pgx.Conn) (pgx.Tx, error) {
		tx, err := c.Begin(ctx)
		if err == nil {
			_, err = tx.Exec(ctx, "lock table copied in share mode")
		}
		return tx, err
	}
	t.Run("in a task", func(t *testing.T) {
		ctx := soon(t)
		holder, err := setup(ctx) // no task of ours: a goroutine
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Close(ctx)
		tx, err := locks(ctx, holder)
		if err != nil {
			t.Fatal(err)
		}
		released := make(chan error, 1)
		release := func() { go func() { released <- tx.Commit(ctx) }() } // a hook must not wait
		stalls(t, "pgconn.(*PgConn).CopyFrom", release, func(ctx context.Context) error {
			c, err := dialPostgres(ctx, server)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			if err := copies(ctx, c); err != nil {
				return err
			}
			_, err = aio.Blocking(ctx, aio.Do(func(context.Context) error { return <-released }))
			return err
		})
	})
	t.Run("through Blocking", func(t *testing.T) {
		flows(t, "pgconn.(*PgConn).CopyFrom", func(ctx context.Context) error {
			holder, err := setup(ctx)
			if err != nil {
				return err
			}
			defer holder.Close(ctx)
			tx, err := locks(ctx, holder)
			if err != nil {
				return err
			}
			c, err := dialPostgres(ctx, server)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			copied := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error { return copies(ctx, c) }))
				return err
			}))
			looks, err := dialPostgres(ctx, server) // in a transaction the server shows the same again and again
			if err != nil {
				return err
			}
			defer looks.Close(ctx)
			if err := waitsInServer(ctx, looks, "copy "); err != nil {
				return err
			}
			if err := tx.Commit(ctx); err != nil {
				return err
			}
			_, err = copied.Await(ctx)
			return err
		})
	})
}

// pqDialer is what pq asks for.
type pqDialer struct{ *aionet.Dialer }

func (d pqDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d pqDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func openPQ(t *testing.T, server string) *sql.DB {
	c, err := pq.NewConnector("user=aio dbname=postgres sslmode=disable host=" + server)
	if err != nil {
		t.Fatal(err)
	}
	c.Dialer(pqDialer{&dialer})
	db := sql.OpenDB(c)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// database/sql without a limit makes a connection when all are taken, in its caller's goroutine.
func pqInTasks(t *testing.T, server string) {
	db := openPQ(t, server)
	run(t, func(ctx context.Context) error {
		const tasks = 10
		got, all := 0, new(aio.Event)
		return each(ctx, tasks, func(ctx context.Context, i int) error {
			c, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			if got++; got == tasks { // each has one before any gives its own back
				all.Set()
			}
			if err := all.Wait(ctx); err != nil {
				return err
			}
			for n := range 20 {
				var sum int
				if err := c.QueryRowContext(ctx, "select $1::int + $2::int", i, n).Scan(&sum); err != nil || sum != i+n {
					return fmt.Errorf("%d and %d is %d, %w", i, n, sum, err)
				}
			}
			return nil
		})
	})
}

// With a limit its callers wait on a channel for a connection that another task has: through Blocking.
func pqPool(t *testing.T, server string) {
	query := func(ctx context.Context, db *sql.DB) error {
		return db.QueryRowContext(ctx, "select 1").Scan(new(int))
	}
	t.Run("in a task", func(t *testing.T) {
		db := openPQ(t, server)
		db.SetMaxOpenConns(1)
		taken, err := db.Conn(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		release := func() {
			if err := taken.Close(); err != nil {
				t.Error(err)
			}
		}
		stalls(t, "database/sql.(*DB).conn(", release, func(ctx context.Context) error { return query(ctx, db) })
	})
	t.Run("through Blocking", func(t *testing.T) {
		db := openPQ(t, server)
		db.SetMaxOpenConns(1)
		flows(t, "database/sql", func(ctx context.Context) error {
			return each(ctx, 10, func(ctx context.Context, i int) error {
				for range 5 {
					if _, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error { return query(ctx, db) })); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
}

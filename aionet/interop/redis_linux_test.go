package interop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"

	"github.com/seed8b1f0744/aio"
)

// dialRedis connects redigo, which reads and writes in its caller's goroutine, by one of our connections.
func dialRedis(ctx context.Context, server string) (redis.Conn, error) {
	return redis.DialContext(ctx, "unix", server, redis.DialContextFunc(dialer.DialContext))
}

// A client of Redis that knows nothing of aio works in tasks, one connection for each: calls, pipelines, and a call
// that waits for what another task does.
func TestRedis(t *testing.T) {
	server := redisServer(t)
	run(t, func(ctx context.Context) error {
		waits := aio.Go(ctx, func(ctx context.Context) ([]string, error) {
			c, err := dialRedis(ctx, server)
			if err != nil {
				return nil, err
			}
			defer c.Close()
			return redis.Strings(c.Do("BLPOP", "done", 60))
		})
		err := each(ctx, 10, func(ctx context.Context, i int) error {
			c, err := dialRedis(ctx, server)
			if err != nil {
				return err
			}
			defer c.Close()
			return useRedis(c, fmt.Sprint("key", i))
		})
		if err != nil {
			return err
		}
		c, err := dialRedis(ctx, server)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Do("LPUSH", "done", "all"); err != nil {
			return err
		}
		got, err := waits.Await(ctx)
		if err != nil || fmt.Sprint(got) != "[done all]" {
			return fmt.Errorf("BLPOP: %v, %w", got, err)
		}
		return nil
	})
}

// useRedis makes single calls, and many at once.
func useRedis(c redis.Conn, key string) error {
	for want := 1; want <= 50; want++ {
		if got, err := redis.Int(c.Do("INCR", key)); err != nil || got != want {
			return fmt.Errorf("INCR: %d, %w, want %d", got, err, want)
		}
	}
	const many = 2000
	for range many {
		if err := c.Send("INCR", key); err != nil {
			return err
		}
	}
	if err := c.Flush(); err != nil {
		return err
	}
	for i := range many {
		if got, err := redis.Int(c.Receive()); err != nil || got != 51+i {
			return fmt.Errorf("INCR in a pipeline: %d, %w, want %d", got, err, 51+i)
		}
	}
	return nil
}

// A task that's cancelled ends its call.
func TestRedis_cancelled(t *testing.T) {
	server := redisServer(t)
	run(t, func(ctx context.Context) error {
		c, err := dialRedis(ctx, server)
		if err != nil {
			return err
		}
		defer c.Close()
		task := aio.Go(ctx, func(context.Context) (any, error) { return c.Do("BLPOP", "nothing", 0) })
		other, err := dialRedis(ctx, server)
		if err != nil {
			return err
		}
		defer other.Close()
		for blocked := false; !blocked; { // until the server has its call
			info, err := redis.String(other.Do("INFO", "clients"))
			if err != nil {
				return err
			}
			blocked = strings.Contains(info, "blocked_clients:1\r")
		}
		task.Cancel(nil)
		if v, err := task.Await(ctx); !errors.Is(err, aio.ErrCancelled) {
			t.Errorf("BLPOP: %v, %v, want ErrCancelled", v, err)
		}
		return nil
	})
}

// What takes a context may have handed the call to a goroutine, for which it waits on a channel: redigo's DoContext does,
// and its Do does not. In a task that holds the loop, and the task that it waits for never runs.
func TestRedis_DoContext(t *testing.T) {
	server := redisServer(t)
	push := func() {
		c, err := redis.Dial("unix", server)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, err := c.Do("LPUSH", "jobs", "one"); err != nil {
			t.Error(err)
		}
	}
	pop := func(ctx context.Context) error {
		c, err := dialRedis(ctx, server)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = redis.Strings(redis.DoContext(c, ctx, "BLPOP", "jobs", 60))
		return err
	}
	t.Run("in a task", func(t *testing.T) {
		stalls(t, "redigo/redis.DoContext", push, pop)
	})
	t.Run("through Blocking", func(t *testing.T) {
		flows(t, "redigo", func(ctx context.Context) error {
			popped := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				_, err := aio.Blocking(ctx, aio.Do(pop))
				return err
			}))
			c, err := dialRedis(ctx, server)
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Do("LPUSH", "jobs", "one"); err != nil {
				return err
			}
			_, err = popped.Await(ctx)
			return err
		})
	})
}

// A pool has its callers wait on a channel for a connection that another task has. go-redis always has one, so that
// it's called through Blocking; its connections may be ours all the same.
func TestGoRedis(t *testing.T) {
	server := redisServer(t)
	open := func(t *testing.T) *goredis.Client {
		client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: server, Dialer: dialer.DialContext, PoolSize: 1})
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	t.Run("in a task", func(t *testing.T) {
		client := open(t)
		taken := client.Conn()
		if err := taken.Ping(t.Context()).Err(); err != nil { // has the pool's only one
			t.Fatal(err)
		}
		release := func() { _ = taken.Close() }
		stalls(t, "go-redis/v9/internal/pool", release, func(ctx context.Context) error {
			return client.Ping(ctx).Err()
		})
	})
	t.Run("through Blocking", func(t *testing.T) {
		client := open(t)
		flows(t, "go-redis", func(ctx context.Context) error {
			err := each(ctx, 10, func(ctx context.Context, i int) error {
				for range 20 {
					if _, err := aio.Blocking(ctx, func(ctx context.Context) (int64, error) { return client.Incr(ctx, "sum").Result() }); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			got, err := aio.Blocking(ctx, func(ctx context.Context) (int, error) { return client.Get(ctx, "sum").Int() })
			if err != nil || got != 200 {
				return fmt.Errorf("the sum is %d, %w, want 200", got, err)
			}
			return nil
		})
	})
}

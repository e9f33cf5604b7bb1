package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

type Resize struct {
	Name  string
	Width int
	Scale float64
}

// Jobs and sentinels are defined in package-level variables: a worker is the same program, and knows
// them before main begins.
var (
	resize = job.Define("resize", func(_ context.Context, in Resize) (string, error) {
		if in.Width <= 0 {
			return "", fmt.Errorf("resizing %s: %w", in.Name, ErrWidth)
		}
		return fmt.Sprintf("%s at %gx%d", in.Name, in.Scale, in.Width), nil
	})
	ErrWidth = job.Sentinel("example: width", errors.New("the width must be positive"))
)

// Any executor of jobs will do: procpool's for processes, and in tests one of this process.
func ExampleDefine() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		pool := aio.NewPool(aio.PoolConfig{Workers: 2})
		defer func() { _ = pool.Close() }()
		ex := job.Local(pool)

		small := resize.In(ctx, ex, Resize{"cat.png", 64, 0.5})
		large := resize.In(ctx, ex, Resize{"cat.png", 640, 0.5})
		names, err := aio.Gather(ctx, small, large)
		fmt.Println(strings.Join(names, ", "))
		return err
	}))
	if err != nil {
		fmt.Println(err)
	}
	// Output: cat.png at 0.5x64, cat.png at 0.5x640
}

// Some of the arguments are fixed beforehand, as with functools.partial. The function that does it
// stays here; only what it returns travels.
func ExampleBind() {
	pool := aio.NewPool(aio.PoolConfig{})
	defer func() { _ = pool.Close() }()

	half := job.Bind(resize, func(width int) Resize { return Resize{Name: "dog.png", Width: width, Scale: 0.5} })
	name, err := half.In(context.Background(), job.Local(pool), 32).Await(context.Background())
	fmt.Println(name, err)
	// Output: dog.png at 0.5x32 <nil>
}

// loopback is an Executor that goes all the way of a call: what it carries is bytes.
type loopback struct{}

func (loopback) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	return job.Serve(ctx, c), nil
}
func (loopback) Close() error { return nil }

// An error keeps its text on the wire, and is still what it was there.
func ExampleSentinel() {
	_, err := resize.In(context.Background(), loopback{}, Resize{Name: "cat.png"}).Await(context.Background())
	fmt.Println(err)
	fmt.Println(errors.Is(err, ErrWidth))
	// Output:
	// resizing cat.png: the width must be positive
	// true
}

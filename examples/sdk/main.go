// Sdk calls AWS Lambda's Invoke with AWS's own client, which blocks and takes its arguments by name,
// from tasks: on the loop's own pool, and in other processes. Its arguments are bound beforehand, which
// asyncio does with functools.partial, as run_in_executor passes none by name: here a closure does it,
// and job.Bind where the call goes to another process. Lambda is a small server within this program.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// invocation is what Invoke is to be called with, in a form that travels.
type invocation struct {
	Endpoint, Function, Who string
}

// invoke calls the SDK, and blocks until Lambda has answered.
func invoke(ctx context.Context, in invocation) (string, error) {
	payload, err := json.Marshal(map[string]string{"who": in.Who})
	if err != nil {
		return "", err
	}
	answer, err := newClient(in.Endpoint).Invoke(ctx, &lambda.InvokeInput{
		FunctionName:   aws.String(in.Function),
		InvocationType: types.InvocationTypeRequestResponse,
		LogType:        types.LogTypeNone,
		Payload:        payload,
	})
	if err != nil {
		return "", err
	}
	if answer.FunctionError != nil {
		return "", fmt.Errorf("%s(%s): %s: %s", in.Function, in.Who, *answer.FunctionError, answer.Payload)
	}
	var said string
	return said, json.Unmarshal(answer.Payload, &said)
}

var invokeJob = job.Define("invoke", invoke)

// newClient is what config.LoadDefaultConfig makes for a program that talks to the real one.
func newClient(endpoint string) *lambda.Client {
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "example", SecretAccessKey: "example"}, nil
	})
	return lambda.New(lambda.Options{BaseEndpoint: &endpoint, Region: "eu-north-1", Credentials: keys})
}

func call(ctx context.Context, out io.Writer, endpoint string, processes job.Executor) error {
	// In this process a closure binds the arguments.
	greet := func(who string) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) { return invoke(ctx, invocation{endpoint, "greet", who}) }
	}
	for _, who := range []string{"ann", "bob"} {
		said, err := aio.Blocking(ctx, greet(who))
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "on the loop's pool: ", said)
	}

	// Across processes Bind does: greetThere still wants to know who.
	greetThere := job.Bind(invokeJob, func(who string) invocation { return invocation{endpoint, "greet", who} })
	cat, dog := greetThere.In(ctx, processes, "cat"), greetThere.In(ctx, processes, "dog")
	both, err := aio.Gather(ctx, cat, dog)
	for _, said := range both {
		fmt.Fprintln(out, "in another process: ", said)
	}
	return err
}

func run(out io.Writer, fake http.Handler) (err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: fake}
	go server.Serve(listener)
	processes, err := procpool.New(procpool.Config{Workers: 2})
	if err != nil {
		return errors.Join(err, server.Close())
	}
	_, err = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return call(ctx, out, "http://"+listener.Addr().String(), processes)
	}))
	return errors.Join(err, processes.Close(), server.Close())
}

func main() {
	procpool.Main()
	if err := run(os.Stdout, fakeLambda()); err != nil {
		fmt.Fprintln(os.Stderr, "sdk:", err)
		os.Exit(1)
	}
}

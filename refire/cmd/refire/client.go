package main

import (
	"errors"
	"fmt"

	"github.com/seed8b1f0744/aio/refire"
)

// clientKind is a way to fire: the value of --client.
type clientKind string

const (
	onLoop    clientKind = "loop"     // in tasks, over package aionet
	onThreads clientKind = "net/http" // on threads, by net/http
)

func defaultClient() clientKind {
	if refire.LoopClients {
		return onLoop
	}
	return onThreads
}

func parseClient(text string) (clientKind, error) {
	switch kind := clientKind(text); {
	case kind == onLoop && !refire.LoopClients:
		return "", errors.New("connections can't be waited for on this system; write net/http, or leave it out")
	case kind == onLoop, kind == onThreads:
		return kind, nil
	}
	return "", fmt.Errorf("%s is no client; write loop or net/http", quoted(text))
}

// canSend reports whether the client puts r's target into the request line as it is.
func (k clientKind) canSend(r *refire.Request) bool {
	if k == onThreads {
		return refire.CanSendHTTP(r)
	}
	return refire.CanSendLoop(r)
}

// closingClient is what either client is.
type closingClient interface {
	refire.Client
	Close() error
}

func (k clientKind) start(c refire.HTTPConfig) closingClient {
	if k == onThreads {
		return refire.NewHTTPClient(c)
	}
	return refire.NewLoopClient(c)
}

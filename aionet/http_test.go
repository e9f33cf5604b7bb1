//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// configs are of a server and of a client that trusts it.
func configs(t *testing.T) (server, client *tls.Config) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	client = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	return &tls.Config{Certificates: s.TLS.Certificates}, client
}

// crypto/tls works on both ends, line by line through bufio, from tasks and from goroutines.
func TestConn_tls(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		server, client := configs(t)
		run(t, func(ctx context.Context) error {
			addr := serve(ctx, t, network, address, func(_ context.Context, c *aionet.Conn) error {
				s := tls.Server(c, server)
				defer s.Close()
				lines := bufio.NewScanner(s)
				for lines.Scan() {
					if _, err := fmt.Fprintf(s, "echo %s\n", lines.Text()); err != nil {
						return err
					}
				}
				return lines.Err()
			})
			return eachCaller(ctx, func(ctx context.Context) error {
				c, err := aionet.Dial(ctx, network, addr)
				if err != nil {
					return err
				}
				s := tls.Client(c, client)
				defer s.Close()
				r := bufio.NewReader(s)
				for i := range 50 {
					if _, err := fmt.Fprintf(s, "line %d\n", i); err != nil {
						return err
					}
					got, err := r.ReadString('\n')
					if want := fmt.Sprintf("echo line %d\n", i); err != nil || got != want {
						return fmt.Errorf("got %q, %w, want %q", got, err, want)
					}
				}
				return nil
			})
		})
	})
}

// net/http's server runs on a Listener in goroutines of its own; its client, whose connections are ours, is called
// through Blocking.
func TestListener_http(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		})}
		served := beside(ctx, func(context.Context) error { return server.Serve(l) })
		client := &http.Client{Transport: &http.Transport{DialContext: new(aionet.Dialer).DialContext}}
		for i := range 5 {
			want := fmt.Sprint("request ", i)
			got, err := aio.Blocking(ctx, func(ctx context.Context) (string, error) { return post(ctx, client, "http://"+l.Addr().String(), want) })
			if err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		client.CloseIdleConnections()
		_, err = aio.Blocking(ctx, aio.Do(server.Shutdown))
		if ended := served(); !errors.Is(ended, http.ErrServerClosed) {
			t.Errorf("Serve: %v", ended)
		}
		return err
	})
}

func post(ctx context.Context, client *http.Client, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	answer, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	return string(got), err
}

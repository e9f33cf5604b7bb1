package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/spf13/pflag"
)

// headerFlags are what goes out beside refire's own headers. Their values are parsed in check, and never shown: pflag would put one that it can't parse into its error.
type headerFlags struct {
	plain []string
	files []string
	envs  []string
	key   string

	list []refire.Header // after check
	open []string        // files that others may read; after check
}

const defaultKeyHeader = "Idempotency-Key"

var sendingTopic = topic{"sending", "What a request holds, and which way it goes", where, `What a request holds beside its target, and which way it goes.

refire sends Host, User-Agent: refire/1-again and Accept: */*, and with a POST,
PUT or PATCH Content-Length: 0; an access log knows no others. --header adds
one, or takes the place of User-Agent (by which refire knows its own requests,
should it find them in a log) or Accept. Those that frame a request or say where
it goes (Host, Content-Length, Transfer-Encoding, Connection, ...) are refused.

Whoever may run ps sees a command line, so --header takes no credentials
(Authorization, Cookie, X-Api-Key, names with token, secret, password, ...):
they come from a file, a header a line as in 'Authorization: Bearer ...', or
from the environment. They go to --base and nowhere else, not to an
--allow-host, and are in no output: not in the retry log, errors or --dry-run.

--idempotency-key sends with methods that may change something a key that is
the same for each attempt at an entry and in every run, another for each entry.
A server that knows such keys does once what arrives twice.

--client loop, the default, speaks HTTP/1.1 and sends any target as it was
logged. --client net/http speaks HTTP/2 where a server offers it, and goes
through a --proxy; a few odd targets it cannot send, and they are refused.`, nil}

func (f *headerFlags) add(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.plain, "header", nil, "`HEADER`: as 'X-Debug: 1'; no secrets (repeat)")
	fs.StringArrayVar(&f.files, "header-file", nil, "`FILE`: headers, one a line, in secret (repeat)")
	fs.StringArrayVar(&f.envs, "header-env", nil, "`NAME=VAR`: its value is the variable's (repeat)")
	fs.Var(value("bool", parseKeyHeader, &f.key), "idempotency-key", "`NAME`: add a key for each entry, by this name (else Idempotency-Key)")
	fs.Lookup("idempotency-key").NoOptDefVal = "true"
	put(fs, where, "header", "header-file", "header-env", "idempotency-key")
	rare(fs, "header-file", "header-env", "idempotency-key")
}

func (f *headerFlags) check(base string) error {
	f.list, f.open = nil, nil
	for _, text := range f.plain {
		h, err := refire.ParseHeader(text)
		if err != nil {
			return usage(fmt.Errorf("--header: %w", err), "for example --header 'X-Debug: 1'; refire help sending says more")
		}
		if h.LooksSecret() {
			return usage(fmt.Errorf("--header %s looks like a credential, and others can see command lines (ps)", h.Name),
				fmt.Sprintf("put it into a file and give --header-file FILE, or into a variable and give --header-env %s=VARIABLE", h.Name))
		}
		f.list = append(f.list, h)
	}
	for _, name := range f.files {
		if err := f.read(name); err != nil {
			return err
		}
	}
	for _, text := range f.envs {
		if err := f.take(text); err != nil {
			return err
		}
	}
	all := f.list
	if f.key != "" {
		all = append(all[:len(all):len(all)], refire.Header{Name: f.key, Value: "x"})
	}
	if err := refire.CheckHeaders(all); err != nil {
		return usage(fmt.Errorf("a header that can't be sent: %w", err), "refire help sending says which can")
	}
	if len(f.files)+len(f.envs) > 0 && base == "" {
		return usage(errors.New("--header-file and --header-env need --base: secrets go there and nowhere else"), "add --base, or leave them out")
	}
	return nil
}

func parseKeyHeader(text string) (string, error) {
	switch text {
	case "true":
		return defaultKeyHeader, nil
	case "false":
		return "", nil
	}
	h := refire.Header{Name: text, Value: "x"}
	return text, h.Check()
}

const maxHeaderFileBytes = 1 << 20

// read takes the headers of a file.
func (f *headerFlags) read(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return cannotRun(err, "--header-file reads headers, one a line; nothing was fired")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxHeaderFileBytes+1))
	switch {
	case err != nil:
		return cannotRun(err, "--header-file reads headers, one a line; nothing was fired")
	case len(data) > maxHeaderFileBytes:
		return usage(fmt.Errorf("--header-file %s is longer than %d bytes", quoted(name), maxHeaderFileBytes), "it holds headers, one a line")
	}
	n, found := 0, false
	for line := range strings.Lines(string(data)) {
		n++
		if line = strings.TrimRight(line, "\r\n"); strings.Trim(line, " \t") == "" {
			continue
		}
		h, err := refire.ParseHeader(line)
		if err != nil {
			return usage(fmt.Errorf("--header-file %s, line %d: %w", quoted(name), n, err), "a header a line, as in Authorization: Bearer ...; refire help sending says more")
		}
		h.Secret, h.File, found = true, name, true
		f.list = append(f.list, h)
	}
	if !found {
		return usage(fmt.Errorf("--header-file %s holds no header", quoted(name)), "a header a line, as in Authorization: Bearer ...")
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		f.open = append(f.open, name)
	}
	return nil
}

// take takes a header out of the environment.
func (f *headerFlags) take(text string) error {
	name, variable, found := strings.Cut(text, "=")
	if !found || !isVariable(variable) {
		return usage(errors.New("--header-env: is not NAME=VARIABLE"), "for example --header-env Authorization=SHOP_AUTH, where SHOP_AUTH is 'Bearer ...'")
	}
	value := strings.Trim(os.Getenv(variable), " \t\r\n")
	if value == "" {
		return usage(fmt.Errorf("--header-env: the variable %s is not set", variable), "set it and export it; for Authorization it holds 'Bearer ...'")
	}
	h := refire.Header{Name: name, Value: value, Secret: true, Env: variable}
	if err := h.Check(); err != nil {
		return usage(fmt.Errorf("--header-env: %w", err), "refire help sending says which can be sent")
	}
	f.list = append(f.list, h)
	return nil
}

// isVariable is POSIX's rule for names that a shell can use.
func isVariable(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return s != ""
}

// say warns of what others may read.
func (f *headerFlags) say(base refire.Origin, c *console) {
	for _, name := range f.open {
		c.say("refire: others may read %s, which holds headers that should be secret; chmod 600 it", quoted(name))
	}
	if len(f.files)+len(f.envs) > 0 && base.Scheme == "http" && !isLoopback(base.Host) {
		c.say("refire: secret headers go to %v unencrypted", base)
	}
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// dryRunKind is what --dry-run prints; empty: there is none.
type dryRunKind string

const (
	dryURLs dryRunKind = "urls"
	dryCurl dryRunKind = "curl"
)

func parseDryRun(text string) (dryRunKind, error) {
	switch text {
	case "urls", "true":
		return dryURLs, nil
	case "curl":
		return dryCurl, nil
	case "false":
		return "", nil
	}
	return "", fmt.Errorf("%s is nothing to print; write --dry-run or --dry-run=curl", quoted(text))
}

// httpConfig is how the client sends.
func (f *runFlags) httpConfig(pins *refire.Pins, routes *refire.Routes) refire.HTTPConfig {
	return refire.HTTPConfig{
		Pins: pins, Connections: f.concurrency, Timeout: f.timeout, Headers: f.headers.list, Base: routes.Base, IdempotencyKey: f.headers.key,
	}
}

// dryLine is r in a dry run.
func (f *runFlags) dryLine(r *refire.Request, config *refire.HTTPConfig) string {
	if f.dryRun == dryCurl {
		return config.Curl(r)
	}
	return r.Origin.String() + r.Target
}

// sayUnsafe tells what it means to fire methods that are not safe.
func (f *runFlags) sayUnsafe(c *console) {
	if f.methods.Unsafe() {
		key := "; a server that knows idempotency keys does once what arrives twice: --idempotency-key"
		if f.headers.key != "" {
			key = ""
		}
		c.say("refire: --method %v fires requests that may change something; they go out without a body, for an access log holds none%s", f.methods, key)
	}
}

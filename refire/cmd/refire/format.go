package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/spf13/pflag"
)

// formatFlags say what the logs are written in.
type formatFlags struct {
	formatText string
	formatFrom string
	jsonFields []string

	format accesslog.Format // of these, when they are settled
}

func (f *formatFlags) add(fs *pflag.FlagSet) {
	f.formatText = accesslog.Auto.String()
	fs.StringVar(&f.formatText, "format", f.formatText, "`FORMAT`: see refire help formats")
	fs.StringVar(&f.formatFrom, "format-from", "", "`FILE[:NAME]`: take it from nginx's or Apache's configuration")
	fs.StringArrayVar(&f.jsonFields, "field", nil, "`NAME=KEY`: of JSON or logfmt, as status=code (repeat)")
	put(fs, whatToRead, "format", "format-from", "field")
	rare(fs, "format-from", "field")
}

// formatNames are the formats' names, for the help.
func formatNames() string {
	names := slices.DeleteFunc(accesslog.FormatNames(), func(name string) bool { return name == accesslog.Auto.String() })
	return strings.Join(names, ", ")
}

const formatHint = `names: --format combined, --format cri:json; strings: --format '$remote_addr "$request" $status';
or --format-from /etc/nginx/nginx.conf`

// settle makes the format of the flags.
func (f *formatFlags) settle() error {
	auto := f.formatText == accesslog.Auto.String()
	switch {
	case f.formatFrom != "" && !auto:
		return usage(errors.New("--format and --format-from are both given"), "leave one of them out")
	case len(f.jsonFields) > 0 && (f.formatFrom != "" || !auto && f.formatText != accesslog.JSON.String() && f.formatText != accesslog.Logfmt.String()):
		return usage(errors.New("--field is for JSON lines, and for key=value"), "give it with --format json or --format logfmt, or alone, which is JSON")
	case len(f.jsonFields) > 0:
		return f.settleJSON()
	case f.formatFrom != "":
		return f.settleFrom()
	}
	var err error
	if f.format, err = accesslog.ParseFormat(f.formatText); err != nil {
		return usage(fmt.Errorf("--format: %w", plainError(err)), formatHint)
	}
	return nil
}

func (f *formatFlags) settleJSON() error {
	keys := map[string]string{}
	for _, field := range f.jsonFields {
		name, key, found := strings.Cut(field, "=")
		if !found {
			return usage(fmt.Errorf("--field %s has no =", quoted(field)), "for example --field status=response.code")
		}
		keys[name] = key
	}
	var err error
	parse := accesslog.ParseJSON
	if f.formatText == accesslog.Logfmt.String() {
		parse = accesslog.ParseLogfmt
	}
	if f.format, err = parse(keys); err != nil {
		return usage(fmt.Errorf("--field: %w", plainError(err)), "for example --field status=response.code --field target=req.uri")
	}
	return nil
}

func (f *formatFlags) settleFrom() error {
	file, name := f.formatFrom, ""
	if _, err := os.Stat(file); err != nil {
		if i := strings.LastIndexByte(file, ':'); i > 0 {
			file, name = file[:i], file[i+1:]
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return unreadable(file, err)
	}
	if f.format, err = accesslog.FormatFrom(string(text), name); err != nil {
		return usage(fmt.Errorf("--format-from %s: %w", file, plainError(err)), "--format-from "+file+":NAME takes another one; --format takes a string")
	}
	return nil
}

// plainError is err without the package's name before it.
func plainError(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "accesslog: "))
}

// guess says what a log was taken for, if that was not given.
func (f *formatFlags) guess(d accesslog.Detection) string {
	if f.format != accesslog.Auto || d.Matched == 0 { // of a stream, the lines that decide may come later
		return ""
	}
	return d.String()
}

// isPlain reports whether there is nothing to say about a guess: all lines are common or combined.
func isPlain(d accesslog.Detection) bool {
	return d.Matched == d.Lines && d.Also == "" && (d.Format == accesslog.Common || d.Format == accesslog.Combined)
}

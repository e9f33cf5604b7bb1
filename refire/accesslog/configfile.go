package accesslog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// configFormat is a format that a configuration file defines.
type configFormat struct {
	name    string
	line    int
	compile func() (grammar, error)
}

// configFile is what refire needs of a configuration file.
type configFile struct {
	formats []configFormat
	used    []string // the names that logs are written with, each once
}

// FormatFrom returns the format of that name out of the text of a configuration file: of nginx (log_format, over several lines too), or of Apache
// (LogFormat, CustomLog, TransferLog). Without a name it is the one that the file's logs are written with, or the only one that it defines; where
// these are several, the error lists them. Files that it includes are not read.
func FormatFrom(config, name string) (Format, error) {
	c := readConfig(config)
	if name == "" {
		switch names := c.names(); {
		case len(c.used) == 1:
			name = c.used[0]
		case len(names) == 0:
			return Auto, errors.New("accesslog: no log_format (nginx) and no LogFormat or CustomLog (Apache) in it")
		case len(names) == 1:
			name = names[0]
		case len(c.used) > 1:
			return Auto, fmt.Errorf("accesslog: logs are written with %s; say which of them", enumerate(c.used))
		default:
			return Auto, fmt.Errorf("accesslog: it has %s; say which of them", enumerate(names))
		}
	}
	for i := len(c.formats) - 1; i >= 0; i-- { // the last of one name counts
		if f := &c.formats[i]; f.name == name {
			g, err := f.compile()
			if err != nil {
				return Auto, fmt.Errorf("accesslog: format %q (line %d): %w", name, f.line, err)
			}
			return compiled(name, g), nil
		}
	}
	if f, err := ParseFormat(name); err == nil && f != Auto && slices.Contains(c.used, name) {
		return f, nil // nginx's own combined, a CustomLog with a format string
	}
	if len(c.formats) == 0 {
		return Auto, fmt.Errorf("accesslog: no format %q in it, and no other", name)
	}
	return Auto, fmt.Errorf("accesslog: no format %q in it; it has %s", name, enumerate(c.names()))
}

// names of the formats, each once.
func (c *configFile) names() []string {
	var names []string
	for _, f := range c.formats {
		if !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	return names
}

func (c *configFile) use(name string) {
	if !slices.Contains(c.used, name) {
		c.used = append(c.used, name)
	}
}

// enumerate writes "a, b and c".
func enumerate(list []string) string {
	last := len(list) - 1
	if last <= 0 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

func readConfig(text string) configFile {
	var c configFile
	c.readApache(text)
	if len(c.formats) == 0 && len(c.used) == 0 {
		c.readNginx(text)
	}
	return c
}

// readNginx reads directives as nginx does: words and quoted strings up to a semicolon or a brace, comments from "#" on.
func (c *configFile) readNginx(text string) {
	line, begun := 1, 1
	var words []string
	for i := 0; i < len(text); {
		switch b := text[i]; b {
		case '\n':
			line++
			i++
		case ' ', '\t', '\r':
			i++
		case ';', '{', '}':
			c.nginxDirective(words, begun)
			words = nil
			i++
		case '#':
			i += len(upTo(text[i:], "\n"))
		default:
			if words == nil {
				begun = line
			}
			word, size := nginxWord(text[i:])
			words = append(words, word)
			line += strings.Count(text[i:i+size], "\n")
			i += size
		}
	}
}

func upTo(s, any string) string {
	if i := strings.IndexAny(s, any); i >= 0 {
		return s[:i]
	}
	return s
}

// nginxWord reads a word, or a quoted string with its backslashes undone.
func nginxWord(text string) (word string, size int) {
	if quote := text[0]; quote == '"' || quote == '\'' {
		n := findUnescaped(text[1:], quote)
		if n < 0 {
			return text[1:], len(text)
		}
		return unslash(text[1 : 1+n]), n + 2
	}
	for size < len(text) && !strings.ContainsRune(" \t\r\n;", rune(text[size])) {
		switch {
		case strings.HasPrefix(text[size:], "${"):
			size += len(upTo(text[size:], "}"))
		case text[size] == '{' || text[size] == '}':
			if size > 0 && text[size] == '{' {
				return unslash(text[:size]), size
			}
		case text[size] == '\\':
			size++
		}
		size++
	}
	size = min(size, len(text))
	return unslash(text[:size]), size
}

func (c *configFile) nginxDirective(words []string, line int) {
	switch {
	case len(words) >= 3 && words[0] == "log_format":
		escape, rest := "default", words[2:]
		if after, ok := strings.CutPrefix(rest[0], "escape="); ok {
			escape, rest = after, rest[1:]
		}
		text := strings.Join(rest, "")
		c.formats = append(c.formats, configFormat{words[1], line, func() (grammar, error) { return compileNginx(escape, text) }})
	case len(words) >= 2 && words[0] == "access_log" && words[1] != "off":
		name := "combined"
		if len(words) > 2 && !strings.ContainsRune(words[2], '=') {
			name = words[2]
		}
		c.use(name)
	}
}

// readApache reads lines: a directive, words and strings in double quotes; a backslash at its end continues a line.
func (c *configFile) readApache(text string) {
	line := 0
	for len(text) > 0 {
		var whole strings.Builder
		begun := line + 1
		for more := true; more && len(text) > 0; {
			var one string
			one, text, _ = strings.Cut(text, "\n")
			line++
			one = strings.TrimSuffix(one, "\r")
			one, more = strings.CutSuffix(one, `\`)
			whole.WriteString(one)
		}
		words := apacheWords(whole.String())
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "logformat":
			name := "the one without a name"
			if len(words) > 2 {
				name = words[2]
			}
			text := words[1]
			c.formats = append(c.formats, configFormat{name, begun, func() (grammar, error) { return compileApache(text) }})
		case "customlog":
			if len(words) > 2 {
				c.use(words[2])
			}
		case "transferlog":
			c.use("the one without a name")
		}
	}
}

// apacheWords takes a line of Apache's configuration to pieces; a comment has none.
func apacheWords(line string) (words []string) {
	line = strings.TrimLeft(line, " \t")
	if strings.HasPrefix(line, "#") {
		return nil
	}
	for line != "" {
		if line[0] == '"' || line[0] == '\'' {
			if n := findUnescaped(line[1:], line[0]); n >= 0 {
				words = append(words, strings.ReplaceAll(line[1:1+n], `\`+line[:1], line[:1]))
				line = strings.TrimLeft(line[n+2:], " \t")
				continue
			}
		}
		word := upTo(line, " \t")
		words, line = append(words, word), strings.TrimLeft(line[len(word):], " \t")
	}
	return words
}

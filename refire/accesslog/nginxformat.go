package accesslog

import (
	"fmt"
	"strings"
)

// ParseNginx returns the format that an nginx log_format string describes, as the documentation of ngx_http_log_module has it ("log_format"):
// text and variables, "$name" or "${name}". It may begin with "escape=default", "escape=json" or "escape=none", and the quotes of a
// configuration file may stand around it. A string without a request or a status is refused.
//
// What the variables hold is in the documentation of ngx_http_core_module ("Embedded Variables"). Any that is not known here is taken as
// text that a client may have written; with escape=none, so is every text, in quotes or not.
func ParseNginx(text string) (Format, error) {
	escape, body := cutEscape(text)
	g, err := compileNginx(escape, unquote(body))
	if err != nil {
		return Auto, fmt.Errorf("accesslog: format %q: %w", text, err)
	}
	return compiled(text, g), nil
}

func compiled(name string, g grammar) Format {
	return named(name, func() grammar { return g })
}

// cutEscape splits off nginx's escape parameter.
func cutEscape(text string) (escape, rest string) {
	if after, ok := strings.CutPrefix(strings.TrimSpace(text), "escape="); ok {
		escape, rest, _ = strings.Cut(after, " ")
		return escape, strings.TrimSpace(rest)
	}
	return "default", text
}

// unquote takes one pair of quotes of a configuration file away, with the backslashes inside that such a pair asks for.
func unquote(text string) string {
	n := len(text)
	if n < 2 || text[0] != text[n-1] || text[0] != '"' && text[0] != '\'' || findUnescaped(text[1:], text[0]) != n-2 {
		return text
	}
	return unslash(text[1 : n-1])
}

// findUnescaped returns the index of the first quote in s that no backslash escapes, or -1.
func findUnescaped(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return -1
}

// unslash undoes backslashes as nginx does when it reads a word, in quotes or not (ngx_conf_read_token); others stay.
func unslash(s string) string { return slashes.Replace(s) }

var slashes = strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`, `\t`, "\t", `\r`, "\r", `\n`, "\n")

func compileNginx(escape, text string) (grammar, error) {
	var clientText *byteSet
	undo := unescape
	switch escape {
	case "default":
		clientText = escapedText
	case "json":
		clientText, undo = jsonText, unescapeJSON
	case "none":
		clientText, undo = anyBytes, plain
	default:
		return nil, fmt.Errorf("escape=%s is unknown; nginx knows default, json and none", escape)
	}
	elements, err := nginxElements(text, clientText)
	if err != nil {
		return nil, err
	}
	if escape == "default" && isFamily(elements) {
		return family{}, nil
	}
	p, err := compile(elements, undo, findQuote)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// nginxElements takes a log_format string to pieces.
func nginxElements(text string, clientText *byteSet) ([]element, error) {
	var list []element
	for len(text) > 0 {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			at = len(text)
		}
		if at > 0 {
			list = append(list, element{literal: text[:at]})
			text = text[at:]
			continue
		}
		name, rest, err := nginxName(text[1:])
		if err != nil {
			return nil, err
		}
		text = rest
		if name == "is_args" && (strings.HasPrefix(text, "$args") || strings.HasPrefix(text, "$query_string")) {
			continue // joined with what follows
		}
		e := nginxVariable(name)
		if e.name = "$" + name; e.may == nil {
			e.may = clientText
		}
		e.port = strings.HasSuffix(name, "_port")
		list = append(list, e)
	}
	return list, nil
}

// nginxName reads a variable's name, after its "$".
func nginxName(text string) (name, rest string, err error) {
	if inside, ok := strings.CutPrefix(text, "{"); ok {
		name, rest, ok = strings.Cut(inside, "}")
		if !ok || name == "" {
			return "", "", fmt.Errorf("%q has no closing brace", "$"+text)
		}
		return name, rest, nil
	}
	n := 0
	for n < len(text) && (alphanumeric(text[n]) || text[n] == '_') {
		n++
	}
	if n == 0 {
		return "", "", fmt.Errorf("a $ without the name of a variable, before %q", text)
	}
	return text[:n], text[n:], nil
}

// nginxVariable says what a variable holds; text, where nothing is said.
func nginxVariable(name string) element {
	switch name {
	case "request":
		return element{slot: requestSlot}
	case "request_method":
		return element{slot: methodSlot, may: bytesOf("A-Za-z_-")} // it takes no others
	case "request_uri":
		return element{slot: targetSlot}
	case "uri", "document_uri":
		return element{slot: targetSlot, decoded: decodedAll}
	case "args", "query_string":
		return element{slot: querySlot, dashed: true}
	case "server_protocol":
		return element{slot: protoSlot, may: protoBytes}
	case "status":
		return element{slot: statusSlot, may: numberBytes}
	case "time_local":
		return element{slot: timeSlot, may: timeBytes, shape: "00/Jan/0000:00:00:00 +0000", goTime: clfLayout, layout: clfTimes}
	case "time_iso8601":
		return element{slot: timeSlot, may: bytesOf("0-9TZ:.+-"), goTime: "2006-01-02T15:04:05-07:00"}
	case "msec":
		return element{slot: timeSlot, may: numberBytes, layout: secondsLayout}
	case "host", "http_host":
		return element{slot: hostSlot}
	case "server_name":
		return element{slot: hostSlot, may: addressBytes}
	case "scheme":
		return element{slot: schemeSlot, may: tokenBytes}
	case "remote_addr", "realip_remote_addr", "proxy_protocol_addr", "server_addr", "hostname", "request_id":
		return element{may: addressBytes}
	case "remote_port", "realip_remote_port", "server_port", "bytes_sent", "body_bytes_sent", "connection", "connection_requests", "connection_time",
		"request_length", "request_time", "gzip_ratio", "pid", "proxy_protocol_port", "tcpinfo_rtt", "tcpinfo_rttvar":
		return element{may: numberBytes}
	case "pipe", "https", "ssl_protocol", "ssl_session_reused", "upstream_cache_status", "request_completion":
		return element{may: tokenBytes}
	}
	if strings.HasPrefix(name, "upstream_") && !strings.HasPrefix(name, "upstream_http_") && !strings.HasPrefix(name, "upstream_cookie_") {
		return element{may: listBytes}
	}
	return element{}
}

package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// jsonGrammar reads lines that are JSON objects (RFC 8259), by a map from keys to slots. Of a key that an object has twice the last one counts, as
// encoding/json has it; of several keys for one slot, the first one in the map. Values that no slot wants are stepped over, whatever they hold.
//
// It is a walk of its own, because of a line only few values are wanted, and because servers write what is not quite JSON: nginx's \x22, bytes
// that are no UTF-8. Where a line is JSON, it agrees with encoding/json (FuzzJSON).
type jsonGrammar struct {
	keys   *jsonKeys
	values [slots]jsonValue
	texts  []byte // scratch: strings without their escapes
}

type jsonValue struct {
	rank  int // which of the slot's keys it is, from 1; 0: none
	text  []byte
	plain bool // not a string
}

// jsonKeys is a tree of the keys that are wanted.
type jsonKeys struct {
	inside map[string]*jsonKeys
	slot   slot
	rank   int
}

// jsonField is one key for a slot: "request.method" is the method in the object "request"; a dot in a key is written "\.".
type jsonField struct {
	slot slot
	keys []string
}

func newJSONKeys(fields []jsonField) *jsonKeys {
	root := &jsonKeys{}
	for _, f := range fields {
		for i, key := range f.keys {
			at := root
			for _, name := range splitKey(key) {
				if at.inside == nil {
					at.inside = map[string]*jsonKeys{}
				}
				if at.inside[name] == nil {
					at.inside[name] = &jsonKeys{}
				}
				at = at.inside[name]
			}
			at.slot, at.rank = f.slot, i+1
		}
	}
	return root
}

func splitKey(key string) []string {
	names := []string{""}
	for i := 0; i < len(key); i++ {
		switch {
		case key[i] == '\\' && i+1 < len(key):
			i++
			names[len(names)-1] += key[i : i+1]
		case key[i] == '.':
			names = append(names, "")
		default:
			names[len(names)-1] += key[i : i+1]
		}
	}
	return names
}

func (g *jsonGrammar) read(line []byte, f *fields) Reason {
	if why := g.parse(line); why != 0 {
		return why
	}
	return g.fill(f)
}

// parse finds the values that are wanted.
func (g *jsonGrammar) parse(line []byte) Reason {
	g.values = [slots]jsonValue{}
	g.texts = g.texts[:0]
	rest := skipSpace(bytes.TrimPrefix(line, byteOrderMark))
	if len(rest) == 0 || rest[0] != '{' {
		return Misfit
	}
	rest, ok := g.object(rest[1:], g.keys)
	if !ok || len(skipSpace(rest)) > 0 {
		return Misfit
	}
	return 0
}

func (g *jsonGrammar) fill(f *fields) Reason {
	v := &g.values
	f.undo, f.apart = plain, true
	status := v[statusSlot]
	if status.rank == 0 {
		return NoStatus
	}
	var ok bool
	if f.status, ok = statusOf(status.text); !ok {
		return NoStatus
	}
	switch {
	case v[targetSlot].rank > 0 && v[methodSlot].rank > 0:
		f.method, f.target = v[methodSlot].text, v[targetSlot].text
		if q := v[querySlot].text; !isNone(q) && bytes.IndexByte(f.target, '?') < 0 {
			f.query = bytes.TrimPrefix(q, []byte{'?'})
		}
	case v[urlSlot].rank > 0 && v[methodSlot].rank > 0:
		f.method, f.target, f.composed = v[methodSlot].text, v[urlSlot].text, true
	case v[requestSlot].rank > 0:
		f.apart, f.request = false, v[requestSlot].text
	default:
		return NoRequestField
	}
	f.proto = v[protoSlot].text
	f.host, f.scheme = v[hostSlot].text, v[schemeSlot].text
	if t := v[timeSlot]; t.rank > 0 {
		if f.time = t.text; t.plain || isNumber(t.text) {
			f.layout = sizedLayout
		}
	}
	return 0
}

// isNumber: a number that was written as a string.
func isNumber(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return len(b) > 0
}

// byteOrderMark may stand at the beginning of what Windows wrote.
var byteOrderMark = []byte("\ufeff")

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// object reads what follows an opening brace, and its end. It calls itself no deeper than the tree of keys goes.
func (g *jsonGrammar) object(b []byte, keys *jsonKeys) (rest []byte, ok bool) {
	if b = skipSpace(b); len(b) > 0 && b[0] == '}' {
		return b[1:], true
	}
	for {
		var name []byte
		if name, b, ok = g.text(skipSpace(b)); !ok {
			return nil, false
		}
		if b = skipSpace(b); len(b) == 0 || b[0] != ':' {
			return nil, false
		}
		b = skipSpace(b[1:])
		switch key := keys.inside[string(name)]; {
		case key == nil:
			b, ok = skipValue(b)
		case key.inside != nil && len(b) > 0 && b[0] == '{':
			b, ok = g.object(b[1:], key)
		default:
			b, ok = g.value(b, key)
		}
		if !ok {
			return nil, false
		}
		if b = skipSpace(b); len(b) == 0 {
			return nil, false
		}
		switch b[0] {
		case '}':
			return b[1:], true
		case ',':
			b = b[1:]
		default:
			return nil, false
		}
	}
}

// value reads a value that a slot wants: a string or a number. null, and what is neither, is as if it was not there.
func (g *jsonGrammar) value(b []byte, key *jsonKeys) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	v := jsonValue{rank: key.rank}
	switch c := b[0]; {
	case c == '"':
		v.text, rest, ok = g.text(b)
	case c == '-' || '0' <= c && c <= '9':
		rest, ok = skipValue(b)
		v.text, v.plain = b[:len(b)-len(rest)], true
	default:
		return skipValue(b)
	}
	if old := g.values[key.slot]; ok && key.slot != unused && (old.rank == 0 || v.rank <= old.rank) {
		g.values[key.slot] = v
	}
	return rest, ok
}

// text reads a string, without its quotes and escapes.
func (g *jsonGrammar) text(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	end := findQuote(b, 1)
	if end < 0 {
		return nil, nil, false
	}
	text, rest = b[1:end], b[end+1:]
	if bytes.IndexByte(text, '\\') < 0 {
		return text, rest, true
	}
	begin := len(g.texts)
	g.texts = appendJSON(g.texts, text)
	return g.texts[begin:len(g.texts):len(g.texts)], rest, true
}

// skipValue steps over a value: objects and arrays by counting their brackets, outside of strings.
func skipValue(b []byte) (rest []byte, ok bool) {
	for depth, i := 0, 0; i < len(b); {
		switch b[i] {
		case '"':
			if i = findQuote(b, i+1); i < 0 {
				return nil, false
			}
			i++
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 {
				return nil, false
			}
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return nil, false
			}
			i++
			continue
		default:
			n := bytes.IndexAny(b[i:], ",:{}[]\" \t\r\n")
			if n < 0 {
				n = len(b) - i
			}
			if !isScalar(b[i : i+n]) {
				return nil, false
			}
			i += n
		}
		if depth == 0 {
			return b[i:], true
		}
	}
	return nil, false
}

// isScalar reports whether b is a number, or a name that stands for a value.
func isScalar(b []byte) bool {
	switch string(b) {
	case "true", "false", "null":
		return true
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) == 0 || b[0] < '0' || b[0] > '9' {
		return false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			return false
		}
	}
	return true
}

// jsonFields are what --field can name, in the order of the slots.
var jsonFieldNames = map[string]slot{
	"request": requestSlot, "method": methodSlot, "target": targetSlot, "url": urlSlot, "query": querySlot, "proto": protoSlot, "status": statusSlot,
	"time": timeSlot, "host": hostSlot, "scheme": schemeSlot,
}

// ParseJSON returns the format of logs whose lines are JSON objects, by a map from "method", "target", "query", "proto", "status", "time", "host" and
// "scheme" to the keys that hold them: {"method": "req.verb", "status": "code"}; the dot leads into an object, "\." is one. "request" stands for a key with a whole
// request line, "url" for one with a URL that the server made of what it knows. What the map does not name is looked for under the usual
// names; nil looks for all of it there. An empty key is not looked for at all.
func ParseJSON(keys map[string]string) (Format, error) {
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	fields := slices.Clone(usualKeys)
	for _, name := range names {
		slot, ok := jsonFieldNames[name]
		if !ok {
			known := make([]string, 0, len(jsonFieldNames))
			for name := range jsonFieldNames {
				known = append(known, name)
			}
			slices.Sort(known)
			return Auto, fmt.Errorf("accesslog: no field is called %q; the fields are %s", name, enumerate(known))
		}
		if !utf8.ValidString(keys[name]) {
			return Auto, errors.New("accesslog: a key that is no UTF-8")
		}
		one := jsonField{slot: slot}
		if keys[name] != "" {
			one.keys = []string{keys[name]}
		}
		replaced := false
		for i := range fields {
			if fields[i].slot == slot {
				fields[i], replaced = one, true
			}
		}
		if !replaced {
			fields = append(fields, one)
		}
		switch slot { // what the user names goes before what is usual
		case requestSlot:
			fields = drop(fields, targetSlot, urlSlot)
		case urlSlot:
			fields = drop(fields, targetSlot)
		}
	}
	name := "json"
	for _, field := range names {
		name += " " + field + "=" + keys[field]
	}
	return jsonFormat(name, fields), nil
}

// drop removes the usual keys of slots, which would count before the user's.
func drop(fields []jsonField, those ...slot) []jsonField {
	return slices.DeleteFunc(fields, func(f jsonField) bool { return slices.Contains(those, f.slot) && !(len(f.keys) == 1) })
}

func jsonFormat(name string, fields []jsonField) Format {
	keys := newJSONKeys(fields)
	return Format{&definition{name, func() grammar { return &jsonGrammar{keys: keys} }}}
}

// usualKeys are what loggers call things: nginx's escape=json examples, Envoy, Traefik, Caddy, ECS (Elastic's "http.request.method"), pino, zap, Rails.
var usualKeys = []jsonField{
	{requestSlot, []string{"request", "request_line", "requestLine", "message_request"}},
	{methodSlot, []string{"method", "request_method", "requestMethod", "RequestMethod", "http_method", "httpMethod", "verb", "request.method", "req.method",
		"http.request.method", `http\.request\.method`, "httpRequest.requestMethod", `http\.method`, "http.method"}},
	{targetSlot, []string{"request_uri", "requestUri", "uri", "target", "path", "request_path", "RequestPath", "request.uri", "req.url", "url.original",
		`url\.original`, "url.path", `url\.path`, `http\.target`, "http.target", "requestPath", "rawPath"}},
	{urlSlot, []string{"url", "request_url", "requestUrl", "request.url", "httpRequest.requestUrl"}},
	{querySlot, []string{"query", "query_string", "queryString", "args", "url.query", `url\.query`}},
	{protoSlot, []string{"protocol", "proto", "server_protocol", "http_version", "request.proto", "RequestProtocol"}},
	{statusSlot, []string{"status", "status_code", "statusCode", "response_code", "response_status", "DownstreamStatus", "code", "res.statusCode",
		"response.status", "http.response.status_code", `http\.response\.status_code`, "httpRequest.status", `http\.status_code`, "http.status_code"}},
	{timeSlot, []string{"time", "timestamp", "@timestamp", "ts", "time_iso8601", "time_local", "start_time", "StartUTC", "msec", "datetime", "date"}},
	{hostSlot, []string{"host", "http_host", "authority", "RequestHost", "vhost", "server_name", "request.host", "url.domain", `url\.domain`, "domain"}},
	{schemeSlot, []string{"scheme", "request_scheme", "RequestScheme", "x_forwarded_proto", "url.scheme", `url\.scheme`}},
}

// caddyKeys are those of Caddy's access logs (Caddy documentation, "How logging works", "Structured logs").
var caddyKeys = []jsonField{
	{methodSlot, []string{"request.method"}}, {targetSlot, []string{"request.uri"}}, {protoSlot, []string{"request.proto"}},
	{hostSlot, []string{"request.host"}}, {statusSlot, []string{"status"}}, {timeSlot, []string{"ts"}},
}

// traefikKeys are those of Traefik's (Traefik documentation, "Access Logs", "Available Fields"): DownstreamStatus is what the client got, OriginStatus is not.
var traefikKeys = []jsonField{
	{methodSlot, []string{"RequestMethod"}}, {targetSlot, []string{"RequestPath"}}, {protoSlot, []string{"RequestProtocol"}},
	{hostSlot, []string{"RequestHost", "RequestAddr"}}, {schemeSlot, []string{"RequestScheme"}}, {statusSlot, []string{"DownstreamStatus"}},
	{timeSlot, []string{"StartUTC", "time"}},
}

// envoyKeys are those of Istio's accessLogEncoding JSON (Istio documentation, "Envoy Access Logs"), after Envoy's command operators.
var envoyKeys = []jsonField{
	{methodSlot, []string{"method"}}, {targetSlot, []string{"path", "x_envoy_original_path"}}, {protoSlot, []string{"protocol"}},
	{hostSlot, []string{"authority"}}, {statusSlot, []string{"response_code"}}, {timeSlot, []string{"start_time"}},
}

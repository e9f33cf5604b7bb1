package accesslog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// jsonKeys is a tree of the keys that are wanted.
type jsonKeys struct {
	inside map[string]*jsonKeys
	shapes [256]uint64 // by a key's first byte: a bit for each length, modulo 64, of such keys inside
	slot   slot
	rank   int
}

// find returns what is wanted under a key, or nil. Most keys are wanted by nobody, and nearly all of those have another beginning or length.
func (k *jsonKeys) find(key []byte) *jsonKeys {
	if len(key) > 0 && k.shapes[key[0]]&(1<<(len(key)%64)) == 0 {
		return nil
	}
	return k.inside[string(key)]
}

// grow returns what is wanted under a key, which is added if it was not there.
func (k *jsonKeys) grow(key string) *jsonKeys {
	if k.inside == nil {
		k.inside = map[string]*jsonKeys{}
	}
	if k.inside[key] == nil {
		k.inside[key] = &jsonKeys{}
	}
	if key != "" {
		k.shapes[key[0]] |= 1 << (len(key) % 64)
	}
	return k.inside[key]
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
				at = at.grow(name)
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

// jsonFieldNames are what ParseJSON can map.
var jsonFieldNames = map[string]slot{
	"request": requestSlot, "method": methodSlot, "target": targetSlot, "url": urlSlot, "query": querySlot, "proto": protoSlot, "status": statusSlot,
	"time": timeSlot, "host": hostSlot, "scheme": schemeSlot,
}

// ParseJSON returns the format of logs whose lines are JSON objects, by a map from "method", "target", "query", "proto", "status", "time", "host" and
// "scheme" to the keys that hold them: {"method": "req.verb", "status": "code"}; the dot leads into an object, "\." is one. "request" stands for a key with a whole
// request line, "url" for one with a URL that the server made of what it knows. What the map does not name is looked for under the usual
// names; nil looks for all of it there. An empty key is not looked for at all.
func ParseJSON(keys map[string]string) (Format, error) {
	name, fields, err := mapped("json", keys)
	if err != nil {
		return Auto, err
	}
	f := jsonFormat(name, fields)
	f.d.keys = maps.Clone(keys)
	return f, nil
}

// ParseLogfmt is ParseJSON for lines of key=value pairs. Where keys says what holds the request, nothing else does.
func ParseLogfmt(keys map[string]string) (Format, error) {
	name, fields, err := mapped("logfmt", keys)
	if err != nil {
		return Auto, err
	}
	request := []slot{requestSlot, targetSlot, urlSlot}
	for _, one := range []string{"request", "target", "url"} {
		if keys[one] != "" {
			fields = drop(fields, slices.DeleteFunc(request, func(s slot) bool { return s == jsonFieldNames[one] })...)
			break
		}
	}
	return logfmtFormat(name, fields), nil
}

// mapped returns a format's name and its fields, with those of keys in the place of the usual ones.
func mapped(name string, keys map[string]string) (string, []jsonField, error) {
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
			return "", nil, fmt.Errorf("accesslog: no field is called %q; the fields are %s", name, enumerate(known))
		}
		if !utf8.ValidString(keys[name]) {
			return "", nil, errors.New("accesslog: a key that is no UTF-8")
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
	for _, field := range names {
		name += " " + field + "=" + keys[field]
	}
	return name, fields, nil
}

// JSONKeys returns the map that ParseJSON made the format of; nil, if it did not.
func (f Format) JSONKeys() map[string]string { return maps.Clone(f.definition().keys) }

// drop removes the usual keys of slots, which would count before the user's.
func drop(fields []jsonField, those ...slot) []jsonField {
	return slices.DeleteFunc(fields, func(f jsonField) bool { return slices.Contains(those, f.slot) && !(len(f.keys) == 1) })
}

func jsonFormat(name string, fields []jsonField) Format {
	keys := newJSONKeys(fields)
	return named(name, func() grammar { return &jsonGrammar{keys: keys} })
}

func logfmtFormat(name string, fields []jsonField) Format {
	keys := newJSONKeys(fields)
	return named(name, func() grammar { return &logfmt{jsonGrammar: jsonGrammar{keys: keys}} })
}

// usualKeys are what loggers call things: nginx's escape=json examples, Envoy, Traefik, Caddy, ECS (Elastic's "http.request.method"), Cloudflare's Logpush, Amazon's API Gateway, pino, zap, Rails.
var usualKeys = []jsonField{
	{requestSlot, []string{"request", "request_line", "requestLine", "message_request"}},
	{methodSlot, []string{"method", "request_method", "requestMethod", "RequestMethod", "http_method", "httpMethod", "verb", "request.method", "req.method",
		"http.request.method", "ClientRequestMethod", `http\.request\.method`, "httpRequest.requestMethod", `http\.method`, "http.method"}},
	{targetSlot, []string{"request_uri", "requestUri", "uri", "target", "path", "request_path", "RequestPath", "request.uri", "req.url", "url.original",
		`url\.original`, "url.path", `url\.path`, `http\.target`, "http.target", "requestPath", "rawPath", "ClientRequestURI"}},
	{urlSlot, []string{"url", "request_url", "requestUrl", "request.url", "httpRequest.requestUrl"}},
	{querySlot, []string{"query", "query_string", "queryString", "args", "url.query", `url\.query`}},
	{protoSlot, []string{"protocol", "proto", "server_protocol", "http_version", "request.proto", "RequestProtocol"}},
	{statusSlot, []string{"status", "status_code", "statusCode", "response_code", "response_status", "DownstreamStatus", "code", "res.statusCode",
		"response.status", "http.response.status_code", `http\.response\.status_code`, "httpRequest.status", `http\.status_code`, "http.status_code", "EdgeResponseStatus"}},
	{timeSlot, []string{"time", "timestamp", "@timestamp", "ts", "time_iso8601", "time_local", "start_time", "StartUTC", "msec", "datetime", "date",
		"requestTime", "requestTimeEpoch", "EdgeStartTimestamp"}},
	{hostSlot, []string{"host", "http_host", "authority", "RequestHost", "vhost", "server_name", "request.host", "url.domain", `url\.domain`, "domain", "ClientRequestHost"}},
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

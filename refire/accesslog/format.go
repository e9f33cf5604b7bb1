package accesslog

import (
	"fmt"
	"strings"
)

// Format is a log format: one of those that this package knows by name, or one that a server's own format string describes. The zero
// value is Auto. Formats can be compared; two of one format string are not equal.
type Format struct{ d *definition }

// definition is what a Format is inside. It is immutable.
type definition struct {
	name string
	open func() grammar // for one walker
	keys map[string]string
}

// The formats of the family that the package comment describes. The same walk reads them all, so lines of several of them may stand
// in one file. The name says what else a line holds.
var (
	Auto     = Format{}                                              // recognise it
	Common   = named("common", func() grammar { return family{} })   // host ident user [time] "request" status bytes
	Combined = named("combined", func() grammar { return family{} }) // Common, then "referer" "user agent"
	Extended = named("extended", func() grammar { return family{} }) // the same up to the status, with another time layout, columns before or fields after
)

// The other formats that have a name. Each one's grammar, and where it is documented, is in the comment of its type.
var (
	W3C           = named("w3c", func() grammar { return &w3c{} })                  // IIS, CloudFront
	ALB           = named("alb", func() grammar { return balancer{} })              // AWS Application Load Balancer
	ELB           = named("elb", func() grammar { return balancer{classic: true} }) // AWS Classic Load Balancer
	S3            = named("s3", func() grammar { return s3{} })                     // Amazon S3 server access logs
	HAProxy       = named("haproxy", func() grammar { return haproxy{} })           // option httplog, option httpslog
	Envoy         = named("envoy", func() grammar { return envoy{} })               // Envoy's and Istio's text
	EnvoyJSON     = jsonFormat("envoy-json", envoyKeys)                             // Istio's JSON
	Caddy         = jsonFormat("caddy", caddyKeys)                                  // its JSON
	TraefikJSON   = jsonFormat("traefik-json", traefikKeys)                         // Traefik's accessLog.format json
	JSON          = jsonFormat("json", usualKeys)                                   // see ParseJSON
	Logfmt        = logfmtFormat("logfmt", usualKeys)                               // key=value: Heroku's router, lograge, loggers of Go
	Traefik       = named("traefik", func() grammar { return traefik{} })           // Traefik's default text
	VHostCombined = named("vhost_combined", func() grammar { return family{} })     // Apache's "%v:%p" before combined
	NginxIngress  = named("nginx-ingress", func() grammar { return family{} })      // the ingress controller's default, likewise
)

func named(name string, open func() grammar) Format {
	return Format{&definition{name: name, open: open}}
}

// presets are the formats with a name, in the order in which they are tried on a line that the main format of its log rejects. The family, which asks
// least of a line, comes last.
var presets = []Format{
	W3C, ALB, ELB, S3, HAProxy, Envoy, EnvoyJSON, Caddy, TraefikJSON, JSON, Logfmt, Traefik, NginxIngress, VHostCombined, Common, Combined, Extended,
}

// containers holds what the presets are called in the wrappers, so that each is one value.
var containers = func() map[string]map[Format]Format {
	all := map[string]map[Format]Format{}
	for i := range wrappers {
		all[wrappers[i].name] = map[Format]Format{}
		for _, f := range presets {
			all[wrappers[i].name][f] = wrappers[i].around(f)
		}
	}
	return all
}()

// definition of Auto, where nothing was recognised, is the family.
func (f Format) definition() *definition {
	if f.d == nil {
		return Extended.d
	}
	return f.d
}

// String returns the format's name, as ParseFormat reads it, or the format string that it was made of.
func (f Format) String() string {
	if f.d == nil {
		return "auto"
	}
	return f.d.name
}

// FormatNames lists the names that ParseFormat knows.
func FormatNames() []string {
	names := []string{Auto.String()}
	for _, f := range presets {
		names = append(names, f.String())
	}
	return names
}

// ParseFormat returns the format of that name; one in the lines of a container runtime or a syslog daemon ("docker:", "cri:" or "syslog:" before the name); or the one that a format string describes, which is nginx's if it names a variable ("$status"), and Apache's if it has
// a directive ("%>s"): see ParseNginx and ParseApache.
func ParseFormat(text string) (Format, error) {
	for i := range wrappers {
		w := &wrappers[i]
		if text == w.name {
			return Auto, fmt.Errorf("accesslog: format %q wraps another one; say which, for example %s:combined", text, w.name)
		}
		if inside, ok := strings.CutPrefix(text, w.name+":"); ok {
			f, err := ParseFormat(inside)
			if err != nil || f == Auto {
				return Auto, err
			}
			return w.within(f), nil
		}
	}
	switch {
	case text == Auto.String():
		return Auto, nil
	case isNginx(text):
		return ParseNginx(text)
	case strings.Contains(text, "%"):
		return ParseApache(text)
	}
	for _, f := range presets {
		if text == f.String() {
			return f, nil
		}
	}
	names := FormatNames()
	last := len(names) - 1
	return Auto, fmt.Errorf("accesslog: unknown format %q; the formats are %s and %s, with docker:, cri: or syslog: before them; or a format string of nginx or Apache", text,
		strings.Join(names[:last], ", "), names[last])
}

// isNginx reports whether a format string is nginx's: it names a variable.
func isNginx(text string) bool {
	if strings.HasPrefix(text, "escape=") {
		return true
	}
	for {
		_, after, found := strings.Cut(text, "$")
		if !found {
			return false
		}
		if len(after) > 0 && (after[0] == '{' || after[0] == '_' || alphanumeric(after[0])) {
			return true
		}
		text = after
	}
}

// Parse reads one line, with or without its line end, as the first one of its log. Offset, Line, Source and ID stay zero, because a line
// alone does not know them. The error, if any, is a *BadLine; an empty line is one too, and so is one that holds no request by its
// nature, such as a "#Fields:" line. Auto is Extended here. To read many lines, use a Scanner.
func (f Format) Parse(line []byte) (Entry, error) {
	content, _, _ := cutLine(line)
	var parts fields
	reason := f.definition().open().read(content, &parts)
	if reason == 0 && parts.directive {
		reason = NoRequestField
	}
	if reason != 0 {
		return Entry{}, newBadLine(content, reason)
	}
	return parts.entry(new(clock)), nil
}

package accesslog_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

const apacheConf = `# LogFormat "%h" commented
LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined
LogFormat "%{sec}t \
	\"%r\" %>s" short
	logformat '%>s "%r"' 'in quotes'
<VirtualHost *:80>
	CustomLog ${APACHE_LOG_DIR}/access.log vhost_combined
</VirtualHost>
`

func TestFormatFrom(t *testing.T) {
	const usual = `"GET /a?b=c HTTP/1.1" 503`
	nginx := `events {}
http { include mime.types; # log_format no '$status';
  map $x $y { default 'a;b{'; }
  log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" "${http_user_agent}"';
  log_format two "$status" ' \'$request\'\\';
  log_format three ${server_name}|$status|$request;
  log_format tabs "$msec\t$status\t$request";
  log_format bare $status\t$request;
`
	for _, test := range []struct{ name, config, format, line, is, says string }{
		{"nginx, of several", nginx + "access_log /a two; access_log /b main; access_log /c two; access_log off; }", "", "", "", "logs are written with two and main; say which"},
		{"nginx, none used", nginx, "", "", "", "it has main, two, three, tabs and bare; say which"},
		{"nginx, the used one", nginx + "access_log /a main buffer=1;}", "", prefix + usual + ` 1 "-" "x"`, "main", ""},
		{"nginx, by name", nginx, "two", `503 'GET /a?b=c HTTP/1.1'\`, "two", ""},
		{"nginx, without quotes", nginx, "three", `h|503|GET /a?b=c HTTP/1.1`, "three", ""},
		{"nginx, tabs", nginx, "tabs", "1770087906.123\t503\tGET /a?b=c HTTP/1.1", "tabs", ""},
		{"nginx, a tab without quotes", nginx, "bare", "503\tGET /a?b=c HTTP/1.1", "bare", ""},
		{"nginx, its own", nginx + "access_log /a;", "", prefix + usual + ` 1 "-" "x"`, "combined", ""},
		{"nginx, its own with a parameter", nginx + "access_log /a gzip=1;", "", prefix + usual + ` 1 "-" "x"`, "combined", ""},
		{"nginx, the only one", "log_format x '$request' escape=none;", "", "", "", ""},
		{"Apache, the used one", apacheConf, "", `h:80 ` + prefix + usual + ` 0 "`, "vhost_combined", ""},
		{"Apache, continued", apacheConf, "short", "1770087906 \t" + usual, "short", ""},
		{"Apache, quoted name", apacheConf, "in quotes", `503 "GET /a?b=c HTTP/1.1"`, "in quotes", ""},
		{"Apache, commented", apacheConf, "commented", "", "", `no format "commented" in it; it has vhost_combined, short and in quotes`},
		{"Apache, a format string in its place", `CustomLog logs/x "%>s \"%r\""`, "", `503 "GET /a?b=c HTTP/1.1"`, `%>s "%r"`, ""},
		{"Apache, without a name", "LogFormat \"%>s \\\"%r\\\"\"\nTransferLog logs/x\n", "", `503 "GET /a?b=c HTTP/1.1"`, "the one without a name", ""},
		{"nothing", "server { listen 80; }", "", "", "", "no log_format (nginx) and no LogFormat or CustomLog (Apache) in it"},
		{"nothing, by name", "", "x", "", "", `no format "x" in it, and no other`},
		{"open quote", "log_format x '$request", "", "", "", "no log_format"},
		{"of no use", "log_format x '$status';", "", "", "", `format "x" (line 1): it has no request`},
	} {
		format, err := accesslog.FormatFrom(test.config, test.format)
		if test.is == "" {
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %v; it should say %q", test.name, err, test.says)
			}
			continue
		}
		if err != nil || format.String() != test.is {
			t.Errorf("%s: %v, %v; want %s", test.name, format, err, test.is)
			continue
		}
		got, err := format.Parse([]byte(test.line))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		compareEntry(t, test.name, got, accesslog.Entry{Time: got.Time, Host: got.Host})
	}
}

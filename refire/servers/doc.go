// Package servers tests refire with the servers whose logs it reads, as Debian has them: nginx, Apache httpd, HAProxy, Caddy. Each is asked some thousand
// times over the network, fails at some of that, and writes its log; then refire reads the log, and fires at the very same server. What refire counts is
// compared with what the server itself counts. It is a module of its own, so that nobody who has such a server installed waits for these tests by the way.
package servers

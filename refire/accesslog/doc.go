// Package accesslog turns bytes of an access log into entries.
package accesslog

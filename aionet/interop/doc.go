// Package interop is tests only: that libraries which know nothing of aio work on aionet's connections.
// It is a module of its own, so that aio requires none of them.
package interop

// Package aio is asyncio's model for Go: one event loop runs tasks one at a time and switches only where a task awaits.
package aio

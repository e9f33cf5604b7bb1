// Package follow reads a log that is still being written: to its end, and then what is appended. It needs no event loop.
//
// A log is a name. The files that bear it, one after the other, are its generations; each is a stream of its own, from its first byte. [File] notices
//
//   - rotation by rename: the name is another file's. The old file is read until it has been quiet for a while after that, since a server goes on
//     writing to it until it is told to open its log again; then the new one. Every generation is opened when it appears, even while an older one is
//     still being read, so that none is missed because reading is slow: [MaxGenerations] of them. Whoever wants to know is told of those beyond that;
//   - rotation by truncation (logrotate's copytruncate): the file is shorter than it was, or what was read of it, at its beginning and at the end of that, is not
//     there any more. What was written between the last read and the truncation is in the copy only; the reader is told ([TruncatedError]), how many bytes
//     of that had been seen, too, and drops a line of which it had the beginning;
//   - that the name is nobody's: it waits for it.
//
// What it cannot notice is a file that bore the name between two looks only, and a truncated one that was as long as before by the next look, with the same
// 1024 bytes at its beginning and at the place where it had ended.
//
// It looks at regular intervals and asks for no notifications: a look costs microseconds, a busy log would send thousands of them a second, and network file
// systems send none.
package follow

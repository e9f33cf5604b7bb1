// Package unpack reads compressed logs: gzip, zstd, bzip2 and xz, recognised by their first bytes, whatever their names say. It needs no
// event loop and starts no goroutine.
//
// A stream is unpacked as it is read, so its length does not matter. What it asks for in memory is bounded by [MaxWindowBytes]: an archive that needs
// more is refused with a [LimitError] before that memory is taken. Several archives one after the other (gzip members, zstd frames, bzip2 and xz streams), as
// appending to a rotated log makes them, are one log.
//
// Nothing is lost silently: all bytes before a fault are read, then the fault is the error, an [*Error] that names the place. An archive that is cut short is a
// fault, and so is one that is followed by something else; zero bytes after it, with which tapes are padded, are none (of bzip2 they are). Checksums are verified.
//
// One layer is unpacked. What is an archive again when it is unpacked ends in a [NestedError].
package unpack

package accesslog

import (
	"bytes"
	"encoding/binary"
)

// skimGo passes over whole lines, each with its newline, of which there is nothing to say but their status: well formed in the usual way
// (Common Log Format's time, a usual method, a target that begins with "/", something after the status), with a status that is
// not selected, not longer than maxLine. It counts them by status and returns how many bytes and lines it has passed over. It
// stops at the first other line, good or bad, which split has to judge.
//
// This is what makes a scan fast: nearly all lines of nearly all logs are seen by it alone. It must never pass over a line that split
// would not.
func skimGo(lines []byte, selected *[1024]bool, byStatus *[1000]int64, maxLine int) (size int, count int64) {
	for size < len(lines) {
		line := lines[size:]
		line = line[:bytes.IndexByte(line, '\n')]
		status := glance(line)
		if status >= statuses || selected[status&1023] || len(line) > maxLine {
			break
		}
		byStatus[status]++
		count++
		size += len(line) + 1
	}
	return size, count
}

// The first bytes of nearly all requests, as little-endian numbers.
const (
	wordGET    = 'G' | 'E'<<8 | 'T'<<16 | ' '<<24
	wordPUT    = 'P' | 'U'<<8 | 'T'<<16 | ' '<<24
	wordPOST   = 'P' | 'O'<<8 | 'S'<<16 | 'T'<<24
	wordHEAD   = 'H' | 'E'<<8 | 'A'<<16 | 'D'<<24
	wordDELETE = 'D' | 'E'<<8 | 'L'<<16 | 'E'<<24 | 'T'<<32 | 'E'<<40 | ' '<<48 | '/'<<56
)

// clfTime is the length of `[17/May/2015:10:05:03 +0000] `.
const clfTime = 29

// glance returns the status of a usual line, and for any other something >= 1000.
func glance(line []byte) uint {
	open := bytes.IndexByte(line, '"')
	if open < clfTime+1 || line[open-1] != ' ' || line[open-2] != ']' || line[open-clfTime] != '[' || line[open-clfTime-1] != ' ' {
		return statuses
	}
	request := line[open+1:]
	shut := bytes.IndexByte(request, '"')
	if shut < len("GET /") || request[shut-1] == '\\' {
		return statuses
	}
	rest := request[shut:]
	if len(rest) < len(`" 200 `) || rest[1] != ' ' || rest[5] != ' ' {
		return statuses
	}
	switch binary.LittleEndian.Uint32(request) {
	case wordGET, wordPUT:
		if request[4] != '/' {
			return statuses
		}
	case wordPOST, wordHEAD:
		if request[4] != ' ' || request[5] != '/' {
			return statuses
		}
	default:
		if binary.LittleEndian.Uint64(request) != wordDELETE {
			return statuses
		}
	}
	return number(rest[2], rest[3], rest[4])
}

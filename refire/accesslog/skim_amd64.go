//go:build !purego

package accesslog

// skim is skimGo in assembly. It may stop earlier: at any line, and it does so shortly before the end.
//
//go:noescape
func skim(lines []byte, selected *[1024]bool, byStatus *[1000]int64, maxLine int) (size int, count int64)

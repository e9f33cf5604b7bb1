//go:build !amd64 || purego

package accesslog

func skim(lines []byte, selected *[1024]bool, byStatus *[1000]int64, maxLine int) (size int, count int64) {
	return skimGo(lines, selected, byStatus, maxLine)
}

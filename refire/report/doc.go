// Package report makes a page of a retry log, for people: one HTML file that needs no network, no server and no script to be read.
//
// Gather reads a retry log into a Report, which is of bounded size however long the log is, and WriteHTML writes the page.
package report

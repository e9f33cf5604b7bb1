//go:build !linux

package main

// pin has no effect: there is no such call that all systems have.
func pin(bool) {}

//go:build !cgo

package main

import "testing"

func TestCthread(t *testing.T) { t.Skip(why) }

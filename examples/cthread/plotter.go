package main

// #include "plotter.h"
import "C"

import "errors"

var (
	errNotOpen = errors.New("the plotter is not open on this thread")
	errBusy    = errors.New("the plotter is open on this thread already")
)

func plotterError(status C.int) error {
	switch status {
	case C.PLOTTER_OK:
		return nil
	case C.PLOTTER_BUSY:
		return errBusy
	default:
		return errNotOpen
	}
}

func openPlotter() error        { return plotterError(C.plotter_open()) }
func closePlotter() error       { return plotterError(C.plotter_close()) }
func drawLine(dx, dy int) error { return plotterError(C.plotter_line(C.int(dx), C.int(dy))) }

func penAt() (x, y int, err error) {
	var cx, cy C.int
	err = plotterError(C.plotter_where(&cx, &cy))
	return int(cx), int(cy), err
}

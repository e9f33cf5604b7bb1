#include "plotter.h"

static _Thread_local struct { int open, x, y; } pen;

int plotter_open(void) {
	if (pen.open) return PLOTTER_BUSY;
	pen.open = 1;
	pen.x = pen.y = 0;
	return PLOTTER_OK;
}

int plotter_line(int dx, int dy) {
	if (!pen.open) return PLOTTER_NOT_OPEN;
	pen.x += dx;
	pen.y += dy;
	return PLOTTER_OK;
}

int plotter_where(int *x, int *y) {
	if (!pen.open) return PLOTTER_NOT_OPEN;
	*x = pen.x;
	*y = pen.y;
	return PLOTTER_OK;
}

int plotter_close(void) {
	if (!pen.open) return PLOTTER_NOT_OPEN;
	pen.open = 0;
	return PLOTTER_OK;
}

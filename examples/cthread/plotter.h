/* A library as many are (OpenGL, CUDA, GUI kits): what it works on is bound to the thread that opened it. */

enum { PLOTTER_OK = 0, PLOTTER_NOT_OPEN = 1, PLOTTER_BUSY = 2 };

int plotter_open(void);            /* on this thread; PLOTTER_BUSY if it is open here */
int plotter_line(int dx, int dy);  /* from where the pen is; PLOTTER_NOT_OPEN on another thread */
int plotter_where(int *x, int *y); /* where the pen is; PLOTTER_NOT_OPEN on another thread */
int plotter_close(void);           /* on the thread that opened it */

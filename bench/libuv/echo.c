/*
 * An echo server over libuv, for the row "TCP echo". It prints its address, serves until its stdin ends, and then
 * prints the CPU time, in nanoseconds, that this took; "version" as its argument has it print libuv's version.
 *
 * It is as quick as libuv allows: one buffer for all connections, and uv_try_write, so that an echo that the system
 * takes at once, as nearly all are, needs no request and no memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

static char shared[64 * 1024];
static uv_pipe_t orders;
static double began;

static void must(int err, const char *what) {
	if (err < 0) {
		fprintf(stderr, "%s: %s\n", what, uv_strerror(err));
		exit(1);
	}
}

static double cpu_time(void) {
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf) {
	(void)h;
	(void)hint;
	*buf = uv_buf_init(shared, sizeof shared);
}

static void on_closed(uv_handle_t *h) { free(h); }

/* What the system did not take at once. */
struct rest {
	uv_write_t req;
	char data[];
};

static void on_written(uv_write_t *req, int status) {
	if (status < 0 && !uv_is_closing((uv_handle_t *)req->handle))
		uv_close((uv_handle_t *)req->handle, on_closed);
	free(req);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
	if (n < 0) {
		uv_close((uv_handle_t *)s, on_closed);
		return;
	}
	uv_buf_t out = uv_buf_init(buf->base, n);
	int sent = n > 0 ? uv_try_write(s, &out, 1) : 0;
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent < 0) {
		uv_close((uv_handle_t *)s, on_closed);
		return;
	}
	if (sent == n)
		return;
	struct rest *r = malloc(sizeof *r + (n - sent));
	memcpy(r->data, buf->base + sent, n - sent);
	out = uv_buf_init(r->data, n - sent);
	must(uv_write(&r->req, s, &out, 1, on_written), "uv_write");
}

static void on_connection(uv_stream_t *listener, int status) {
	must(status, "listen");
	uv_tcp_t *c = malloc(sizeof *c);
	must(uv_tcp_init(listener->loop, c), "uv_tcp_init");
	must(uv_accept(listener, (uv_stream_t *)c), "uv_accept");
	must(uv_tcp_nodelay(c, 1), "uv_tcp_nodelay");
	must(uv_read_start((uv_stream_t *)c, on_alloc, on_read), "uv_read_start");
}

static void on_order(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
	(void)s;
	(void)buf;
	if (n < 0) {
		printf("%.0f\n", cpu_time() - began);
		exit(fflush(stdout) != 0);
	}
}

int main(int argc, char **argv) {
	if (argc == 2 && strcmp(argv[1], "version") == 0) {
		puts(uv_version_string());
		return 0;
	}
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_in addr;
	int len = sizeof addr;
	uv_tcp_t listener;
	must(uv_tcp_init(loop, &listener), "uv_tcp_init");
	must(uv_ip4_addr("127.0.0.1", 0, &addr), "uv_ip4_addr");
	must(uv_tcp_bind(&listener, (struct sockaddr *)&addr, 0), "uv_tcp_bind");
	must(uv_listen((uv_stream_t *)&listener, 1024, on_connection), "uv_listen");
	must(uv_tcp_getsockname(&listener, (struct sockaddr *)&addr, &len), "uv_tcp_getsockname");
	must(uv_pipe_init(loop, &orders, 0), "uv_pipe_init");
	must(uv_pipe_open(&orders, 0), "uv_pipe_open");
	must(uv_read_start((uv_stream_t *)&orders, on_alloc, on_order), "uv_read_start");
	printf("127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	began = cpu_time();
	return uv_run(loop, UV_RUN_DEFAULT);
}

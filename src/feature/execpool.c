/* SPDX-License-Identifier: MIT */
#include "feature/execpool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "proto/buf.h"

struct job {
	coo_execpool *pool;
	struct job *next;
	uint64_t peer;
	coo_addr addr;
	coo_exec_fn *done;
	void *user;
	uv_process_t process;
	uv_pipe_t in, out;
	uv_timer_t timer;
	uv_write_t write;
	bool running, exited, out_ended, failed, told;
	int err;
	unsigned handles;
	uint8_t *output;
	size_t n_output, cap_output;
	size_t n;
	char input[];
};

struct coo_execpool {
	uv_loop_t *loop;
	char *const *argv;
	struct job *jobs; /* oldest first, running and waiting */
	size_t n_jobs, n_running;
	bool closing;
	char **env;
	size_t n_env;
};

static void start_jobs(coo_execpool *x);

static void unlink_job(coo_execpool *x, struct job *j)
{
	struct job **at = &x->jobs;

	while (*at && *at != j)
		at = &(*at)->next;
	if (*at)
		*at = j->next;
	x->n_jobs--;
}

static void on_job_closed(uv_handle_t *h)
{
	struct job *j = h->data;
	coo_execpool *x = j->pool;

	if (--j->handles > 0)
		return;
	unlink_job(x, j);
	x->n_running--;
	if (!x->closing)
		j->done(j->user, j->peer, &j->addr, coo_span_of(j->output, j->n_output), j->err,
			j->failed);
	free(j->output);
	free(j);
	if (!x->closing)
		start_jobs(x);
}

static void close_handle(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, on_job_closed);
}

static void close_job(struct job *j)
{
	close_handle((uv_handle_t *)&j->process);
	close_handle((uv_handle_t *)&j->in);
	close_handle((uv_handle_t *)&j->out);
	close_handle((uv_handle_t *)&j->timer);
}

static void finish_if_done(struct job *j)
{
	if (j->exited && j->out_ended)
		close_job(j);
}

/* Too slow or too talkative: its answer is not sent in part. */
static void give_up(struct job *j)
{
	j->failed = true;
	j->n_output = 0;
	if (!j->exited)
		coo_ignore(uv_process_kill(&j->process, SIGKILL));
	j->out_ended = true; /* a grandchild may keep the pipe open */
	finish_if_done(j);
}

static void on_time(uv_timer_t *timer)
{
	give_up(timer->data);
}

static void on_exit_child(uv_process_t *process, int64_t status, int signal_number)
{
	struct job *j = process->data;

	j->exited = true;
	j->failed = j->failed || status != 0 || signal_number != 0;
	finish_if_done(j);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static char bytes[65536]; /* libuv reads and delivers one at a time */

	(void)h;
	(void)hint;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static bool keep_output(struct job *j, const char *p, size_t n)
{
	if (n > COO_EXEC_MAX_OUTPUT - j->n_output)
		return false;
	if (n > j->cap_output - j->n_output) {
		size_t cap = 2 * (j->n_output + n);
		uint8_t *mem = realloc(j->output, cap);

		if (!mem)
			return false;
		j->output = mem;
		j->cap_output = cap;
	}
	memcpy(j->output + j->n_output, p, n);
	j->n_output += n;
	return true;
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct job *j = stream->data;

	if (n > 0 && !keep_output(j, buf->base, (size_t)n)) {
		uv_read_stop(stream);
		give_up(j);
	} else if (n < 0) {
		uv_read_stop(stream);
		j->out_ended = true;
		finish_if_done(j);
	}
}

static void on_input_written(uv_write_t *req, int status)
{
	struct job *j = req->data;

	(void)status; /* a program may end without reading */
	close_handle((uv_handle_t *)&j->in);
}

/* "NAME=value" in text of cap bytes, which are enough. */
static char *variable(char *text, size_t cap, const char *name, const char *value, uint64_t number)
{
	coo_buf b;

	coo_buf_init(&b, text, cap - 1);
	coo_buf_put_str(&b, name);
	if (value)
		coo_buf_put_str(&b, value);
	else
		coo_buf_put_u64(&b, number);
	text[b.n] = '\0';
	return text;
}

/* The peer stands in the two last places of env. */
static int spawn(struct job *j)
{
	coo_execpool *x = j->pool;
	char ip[COO_ADDR_TEXT_CAP], peer[COO_ADDR_TEXT_CAP + 16], port[32];
	uv_stdio_container_t stdio[3];
	uv_process_options_t o;

	coo_addr_ip_text(&j->addr, ip);
	x->env[x->n_env] = variable(peer, sizeof(peer), "COO_PEER=", ip, 0);
	x->env[x->n_env + 1] = variable(port, sizeof(port), "COO_PEER_PORT=", NULL, j->addr.port);
	memset(&o, 0, sizeof(o));
	stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
	stdio[0].data.stream = (uv_stream_t *)&j->in;
	stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	stdio[1].data.stream = (uv_stream_t *)&j->out;
	stdio[2].flags = UV_INHERIT_FD;
	stdio[2].data.fd = 2;
	o.exit_cb = on_exit_child;
	o.file = x->argv[0];
	o.args = (char **)(uintptr_t)x->argv;
	o.env = x->env;
	o.stdio = stdio;
	o.stdio_count = 3;
	return uv_spawn(x->loop, &j->process, &o);
}

static void start(struct job *j)
{
	uv_loop_t *loop = j->pool->loop;
	uv_buf_t buf = uv_buf_init(j->input, (unsigned)j->n);
	int e;

	j->running = true;
	j->pool->n_running++;
	j->handles = 4;
	coo_ignore(uv_pipe_init(loop, &j->in, 0));
	coo_ignore(uv_pipe_init(loop, &j->out, 0));
	coo_ignore(uv_timer_init(loop, &j->timer));
	e = spawn(j);
	j->process.data = j->in.data = j->out.data = j->timer.data = j;
	if (e == 0)
		e = uv_read_start((uv_stream_t *)&j->out, on_alloc, on_output);
	if (e != 0) {
		j->err = -e;
		j->exited = j->out_ended = true;
		close_job(j);
		return;
	}
	j->write.data = j;
	coo_ignore(uv_timer_start(&j->timer, on_time, COO_EXEC_SECONDS * 1000, 0));
	if (uv_write(&j->write, (uv_stream_t *)&j->in, &buf, 1, on_input_written) != 0)
		close_handle((uv_handle_t *)&j->in);
}

static bool peer_is_served(const coo_execpool *x, uint64_t peer)
{
	for (const struct job *j = x->jobs; j; j = j->next) {
		if (j->running && j->peer == peer)
			return true;
	}
	return false;
}

static void start_jobs(coo_execpool *x)
{
	struct job *next;

	for (struct job *j = x->jobs; j && x->n_running < COO_EXEC_CHILDREN; j = next) {
		next = j->next;
		if (!j->running && !peer_is_served(x, j->peer))
			start(j);
	}
}

coo_err coo_execpool_run(coo_execpool *x, uint64_t peer, const coo_addr *addr, coo_span input,
			 coo_exec_fn *done, void *user)
{
	struct job **at = &x->jobs, *j;

	if (x->n_jobs == COO_EXEC_QUEUE || x->closing)
		return COO_EFULL;
	j = calloc(1, sizeof(*j) + input.n);
	if (!j)
		return COO_ENOMEM;
	j->pool = x;
	j->peer = peer;
	j->addr = *addr;
	j->done = done;
	j->user = user;
	j->n = input.n;
	if (input.n)
		memcpy(j->input, input.p, input.n);
	while (*at)
		at = &(*at)->next;
	*at = j;
	x->n_jobs++;
	start_jobs(x);
	return COO_OK;
}

coo_err coo_execpool_new(uv_loop_t *loop, char *const *argv, coo_execpool **out)
{
	coo_execpool *x = calloc(1, sizeof(*x));
	extern char **environ;
	size_t n = 0;

	if (!x)
		return COO_ENOMEM;
	while (environ && environ[n])
		n++;
	x->env = calloc(n + 3, sizeof(*x->env));
	if (!x->env) {
		free(x);
		return COO_ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		x->env[i] = environ[i];
	x->n_env = n;
	x->loop = loop;
	x->argv = argv;
	*out = x;
	return COO_OK;
}

void coo_execpool_close(coo_execpool *x)
{
	struct job *next;

	x->closing = true;
	for (struct job *j = x->jobs; j; j = next) {
		next = j->next;
		if (j->running) {
			give_up(j);
		} else {
			unlink_job(x, j);
			free(j);
		}
	}
}

void coo_execpool_free(coo_execpool *x)
{
	if (!x)
		return;
	free(x->env);
	free(x);
}

bool coo_execpool_is_idle(const coo_execpool *x)
{
	return x->n_jobs == 0;
}

bool coo_execpool_has(const coo_execpool *x, uint64_t peer)
{
	for (const struct job *j = x->jobs; j; j = j->next) {
		if (j->peer == peer)
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: MIT */
#include "feature/hook.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

extern char **environ;

enum { AT_ONCE = 4, QUEUE = 1000, OUTPUT_CAP = 65536, MAX_ARGS = 32, KILL_AFTER_MS = 2000 };

struct job {
	struct job *next;
	coo_hook *hook;
	coo_hook_ticket ticket;
	char *text;
	size_t text_n;
	char **env; /* ours only, then NULL */
	uv_process_t process;
	uv_pipe_t in, out;
	uv_timer_t timer;
	uv_write_t write;
	char *output;
	size_t output_n;
	unsigned handles; /* open libuv handles */
	int status;
	bool exited, killed;
};

struct coo_hook {
	coo_hook_cfg cfg;
	char *words, *args[MAX_ARGS + 1];
	struct job *first, **last; /* waiting */
	size_t waiting, running;
	struct job *active; /* running, chained by next */
	bool freed;
};

/* --- the command
 * ------------------------------------------------------------------------------------ */

static void split(coo_hook *h)
{
	char *at = h->words;
	size_t n = 0;

	if (access(h->cfg.command, X_OK) == 0) { /* a name with blanks in it */
		h->args[0] = h->words;
		return;
	}
	while (n < MAX_ARGS) {
		at += strspn(at, " \t");
		if (!*at)
			break;
		h->args[n++] = at;
		at += strcspn(at, " \t");
		if (*at)
			*at++ = '\0';
	}
}

coo_err coo_hook_new(const coo_hook_cfg *cfg, coo_hook **out)
{
	coo_hook *h = calloc(1, sizeof(*h));

	if (!h)
		return COO_ENOMEM;
	h->cfg = *cfg;
	h->cfg.at_once = cfg->at_once ? cfg->at_once : AT_ONCE;
	h->cfg.queue = cfg->queue ? cfg->queue : QUEUE;
	h->last = &h->first;
	h->words = strdup(cfg->command);
	if (!h->words) {
		free(h);
		return COO_ENOMEM;
	}
	split(h);
	if (!h->args[0]) {
		coo_hook_free(h);
		return COO_EINVAL;
	}
	*out = h;
	return COO_OK;
}

static void maybe_release(coo_hook *h)
{
	if (!h->freed || h->running > 0)
		return;
	free(h->words);
	free(h);
}

/* --- one job
 * ---------------------------------------------------------------------------------------- */

static void free_job(struct job *j)
{
	for (size_t i = 0; j->env && j->env[i]; i++)
		free(j->env[i]);
	free(j->env);
	free(j->text);
	free(j->output);
	free(j);
}

static bool copy_env(struct job *j, const char *const *env)
{
	size_t n = 0;

	while (env[n])
		n++;
	j->env = calloc(n + 1, sizeof(*j->env));
	for (size_t i = 0; j->env && i < n; i++) {
		j->env[i] = strdup(env[i]);
		if (!j->env[i])
			return false;
	}
	return j->env != NULL;
}

static struct job *new_job(coo_hook *h, const coo_hook_ticket *t, coo_span text,
			   const char *const *env)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->hook = h;
	j->ticket = *t;
	j->text_n = text.n;
	j->text = malloc(text.n + 1);
	if (!j->text || !copy_env(j, env)) {
		free_job(j);
		return NULL;
	}
	if (text.n)
		memcpy(j->text, text.p, text.n);
	return j;
}

static void start_waiting(coo_hook *h);

static void end_job(struct job *j)
{
	coo_hook *h = j->hook;
	struct job **at = &h->active;

	while (*at && *at != j)
		at = &(*at)->next;
	if (*at)
		*at = j->next;
	h->running--;
	if (!h->freed) {
		h->cfg.on_done(h->cfg.user, &j->ticket, j->status,
			       coo_span_of(j->output, j->output_n));
		start_waiting(h);
	}
	free_job(j);
	maybe_release(h);
}

static void on_closed(uv_handle_t *handle)
{
	struct job *j = handle->data;

	if (--j->handles == 0)
		end_job(j);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

static void on_written(uv_write_t *req, int status)
{
	struct job *j = req->data;

	(void)status; /* a program that does not read its stdin is no error */
	close_handle((uv_handle_t *)&j->in);
}

/* The job is over when the program has ended and its output was read to the end. */
static void close_if_done(struct job *j)
{
	bool output_open = j->hook->cfg.want_output && !uv_is_closing((uv_handle_t *)&j->out);

	if (!j->exited || output_open)
		return;
	close_handle((uv_handle_t *)&j->in);
	close_handle((uv_handle_t *)&j->timer);
	close_handle((uv_handle_t *)&j->process);
}

/* A grandchild may hold stdout open for ever: what it writes later is not waited for. */
static void abandon_output(struct job *j)
{
	if (j->hook->cfg.want_output)
		close_handle((uv_handle_t *)&j->out);
	close_if_done(j);
}

static void on_exited(uv_process_t *p, int64_t status, int term_signal)
{
	struct job *j = p->data;

	j->exited = true;
	j->status = term_signal ? 128 + term_signal : (int)status;
	if (j->killed)
		abandon_output(j);
	else
		close_if_done(j);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct job *j = handle->data;
	static char overflow[4096]; /* what exceeds the cap is read and forgotten, so that the
				       program can end */

	(void)suggested;
	if (!j->output)
		j->output = malloc(OUTPUT_CAP);
	if (j->output && j->output_n < OUTPUT_CAP)
		*buf = uv_buf_init(j->output + j->output_n, (unsigned)(OUTPUT_CAP - j->output_n));
	else
		*buf = uv_buf_init(overflow, sizeof(overflow));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct job *j = stream->data;

	if (n < 0) {
		close_handle((uv_handle_t *)stream);
		close_if_done(j);
	} else if (j->output && buf->base == j->output + j->output_n) {
		j->output_n += (size_t)n;
	}
}

static void on_timeout(uv_timer_t *timer)
{
	struct job *j = timer->data;

	if (j->exited) { /* its number may belong to another process by now */
		coo_log(COO_LOG_WARN, "the --exec program has ended, but what it started holds its "
				      "output open; what came until now counts");
		abandon_output(j);
		return;
	}
	coo_log(COO_LOG_WARN, "the --exec program took too long and is ended");
	uv_process_kill(&j->process, j->killed ? SIGKILL : SIGTERM);
	j->killed = true;
	uv_timer_start(timer, on_timeout, KILL_AFTER_MS, 0);
}

static char **joined_env(const struct job *j)
{
	size_t n = 0, own = 0;
	char **all;

	while (environ[n])
		n++;
	while (j->env[own])
		own++;
	all = calloc(n + own + 1, sizeof(*all));
	if (all) {
		/* ours first: the first of two equal names is the one that counts */
		memcpy(all, j->env, own * sizeof(*all));
		memcpy(all + own, environ, n * sizeof(*all));
	}
	return all;
}

static void init_handles(struct job *j)
{
	uv_loop_t *loop = j->hook->cfg.loop;

	uv_pipe_init(loop, &j->in, 0);
	uv_timer_init(loop, &j->timer);
	j->in.data = j->timer.data = j->process.data = j;
	j->handles = 3;
	if (j->hook->cfg.want_output) {
		uv_pipe_init(loop, &j->out, 0);
		j->out.data = j;
		j->handles++;
	}
}

static int spawn(struct job *j)
{
	coo_hook *h = j->hook;
	uv_stdio_container_t io[3];
	uv_process_options_t o;
	int e;

	memset(&o, 0, sizeof(o));
	memset(io, 0, sizeof(io));
	io[0].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE);
	io[0].data.stream = (uv_stream_t *)&j->in;
	io[1].flags = UV_INHERIT_FD;
	io[1].data.fd = STDERR_FILENO;
	if (h->cfg.want_output) {
		io[1].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
		io[1].data.stream = (uv_stream_t *)&j->out;
	}
	io[2].flags = UV_INHERIT_FD;
	io[2].data.fd = STDERR_FILENO;
	o.stdio = io;
	o.stdio_count = 3;
	o.file = h->args[0];
	o.args = h->args;
	o.env = joined_env(j); /* without memory: NULL, our environment alone */
	o.exit_cb = on_exited;
	e = uv_spawn(h->cfg.loop, &j->process, &o);
	free(o.env);
	return e;
}

static void start(struct job *j)
{
	coo_hook *h = j->hook;
	uv_buf_t buf = uv_buf_init(j->text, (unsigned)j->text_n);
	int e;

	init_handles(j);
	h->running++;
	j->next = h->active;
	h->active = j;
	e = spawn(j);
	if (e) {
		coo_log(COO_LOG_ERROR, "cannot run %s: %s", h->args[0], uv_strerror(e));
		j->status = -1;
		j->exited = true;
		if (h->cfg.want_output)
			close_handle((uv_handle_t *)&j->out);
		close_if_done(j);
		return;
	}
	j->write.data = j;
	if (uv_write(&j->write, (uv_stream_t *)&j->in, &buf, 1, on_written) != 0)
		close_handle((uv_handle_t *)&j->in);
	if (h->cfg.want_output)
		uv_read_start((uv_stream_t *)&j->out, on_alloc, on_read);
	if (h->cfg.timeout)
		uv_timer_start(&j->timer, on_timeout, h->cfg.timeout / COO_MS(1), 0);
}

static void start_waiting(coo_hook *h)
{
	while (h->first && h->running < h->cfg.at_once) {
		struct job *j = h->first;

		h->first = j->next;
		if (!h->first)
			h->last = &h->first;
		h->waiting--;
		start(j);
	}
}

coo_err coo_hook_run(coo_hook *h, const coo_hook_ticket *t, coo_span text, const char *const *env)
{
	struct job *j;

	if (h->waiting >= h->cfg.queue)
		return COO_EFULL;
	j = new_job(h, t, text, env);
	if (!j)
		return COO_ENOMEM;
	*h->last = j;
	h->last = &j->next;
	h->waiting++;
	start_waiting(h);
	return COO_OK;
}

size_t coo_hook_pending(const coo_hook *h)
{
	return h->waiting + h->running;
}

void coo_hook_free(coo_hook *h)
{
	if (!h)
		return;
	h->freed = true;
	while (h->first) {
		struct job *j = h->first;

		h->first = j->next;
		free_job(j);
	}
	for (struct job *j = h->active; j; j = j->next) {
		if (j->exited) {
			abandon_output(j);
			continue;
		}
		j->killed = true;
		uv_process_kill(&j->process, SIGKILL);
	}
	maybe_release(h);
}

/* SPDX-License-Identifier: MIT */
#include "cli/talk_term.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/edit_lib.h"
#include "cli/exit.h"
#include "cli/out.h"
#include "cli/strbuf.h"
#include "cli/xalloc.h"
#include "proto/utf8.h"

enum {
	HISTORY_LINES = 1000,
	FRAME_MS = 30,	  /* lines that come faster are drawn together */
	SEQUENCE_MS = 50, /* the rest of an escape sequence comes at once, or never */
	IN_CAP = 4096,
};

static const wchar_t prompt_text[] = L"> ";

/* Set before the first terminal is opened. */
static const struct edit_lib *edit;

struct talk_term {
	uv_loop_t *loop;
	uv_poll_t keys;
	uv_timer_t frame;
	uv_signal_t resized, stopped;
	unsigned handles;
	int fd; /* of the keys: not the program's standard input, whose flags are shared */
	EditLine *el;
	HistoryW *history;
	char *history_path;
	const struct talk_term_fns *fns;
	void *user;
	struct strbuf above; /* waits to be printed */
	uint8_t in[IN_CAP];
	size_t in_n, in_at;
	unsigned columns;
	bool closing;
};

/* --- keys ------------------------------------------------------------------------------------ */

/* False at the end of the terminal. */
static bool read_keys(struct talk_term *t)
{
	ssize_t n;

	if (t->in_at > 0) {
		memmove(t->in, t->in + t->in_at, t->in_n - t->in_at);
		t->in_n -= t->in_at;
		t->in_at = 0;
	}
	if (t->in_n == IN_CAP)
		return true;
	n = read(t->fd, t->in + t->in_n, IN_CAP - t->in_n);
	if (n > 0)
		t->in_n += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Bytes of the next whole character; 0 where its end has not come. What is no UTF-8 counts 1. */
static size_t whole_char(const struct talk_term *t, uint32_t *cp)
{
	coo_span s = coo_span_of(t->in + t->in_at, t->in_n - t->in_at);
	size_t n = coo_utf8_next(s, cp);
	size_t want;

	if (n > 0 || s.n == 0)
		return n;
	want = s.p[0] >= 0xf0 ? 4 : s.p[0] >= 0xe0 ? 3 : 2;
	*cp = 0xfffd;
	return s.p[0] >= 0xc2 && s.p[0] < 0xf5 && s.n < want ? 0 : 1;
}

/* libedit asks for a character; within a sequence of keys it may have to wait for one. */
static int get_char(EditLine *el, wchar_t *c)
{
	struct talk_term *t = NULL;
	struct pollfd p;
	uint32_t cp = 0;
	size_t n;

	edit->el_wget(el, EL_CLIENTDATA, &t);
	n = whole_char(t, &cp);
	if (n == 0) {
		p.fd = t->fd;
		p.events = POLLIN;
		if (poll(&p, 1, SEQUENCE_MS) == 1)
			coo_ignore(read_keys(t));
		n = whole_char(t, &cp);
	}
	if (n == 0)
		return 0;
	t->in_at += n;
	*c = (wchar_t)cp;
	return 1;
}

static wchar_t *get_prompt(EditLine *el)
{
	(void)el;
	return (wchar_t *)(uintptr_t)prompt_text;
}

/* --- drawing --------------------------------------------------------------------------------- */

static unsigned screen_columns(const struct talk_term *t)
{
	struct winsize w;

	if (ioctl(t->fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	return 80;
}

/* The row within the input where the text up to end stops; it wraps where it is longer than the
 * screen is wide, and a character of two columns does not stand half in one row. */
static unsigned row_of(const struct talk_term *t, const wchar_t *text, const wchar_t *end)
{
	unsigned column = 2, row = 0;

	for (const wchar_t *c = text; c < end; c++) {
		int w = wcwidth(*c);
		unsigned width = w < 0 ? 2 : (unsigned)w; /* ^A */

		if (column + width > t->columns) {
			row++;
			column = 0;
		}
		column += width;
		if (column == t->columns) {
			row++;
			column = 0;
		}
	}
	return row;
}

static void write_all(const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, at, n);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = STDOUT_FILENO, .events = POLLOUT };

			coo_ignore(poll(&wait, 1, 1000));
			continue;
		}
		if (done < 0 && errno != EINTR)
			return; /* the terminal has gone: the keys will tell */
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
}

/* To the first column of the input, erased from there on. */
static void put_erase(const struct talk_term *t, struct strbuf *to)
{
	const LineInfoW *line = edit->el_wline(t->el);
	unsigned row = row_of(t, line->buffer, line->cursor);

	strbuf_put_str(to, "\r");
	if (row > 0)
		strbuf_printf(to, "\033[%uA", row);
	strbuf_put_str(to, "\033[J");
}

static void draw(struct talk_term *t)
{
	struct strbuf b = { NULL, 0, 0 };

	put_erase(t, &b);
	strbuf_put(&b, strbuf_span(&t->above));
	write_all(b.p, b.n);
	strbuf_free(&b);
	t->above.n = 0;
	edit->el_wset(t->el, EL_REFRESH);
}

static void on_frame(uv_timer_t *timer)
{
	struct talk_term *t = timer->data;

	if (t->above.n > 0)
		draw(t);
}

void talk_term_print(struct talk_term *t, coo_span text)
{
	if (t->closing)
		return;
	strbuf_put(&t->above, text);
	if (!uv_is_active((uv_handle_t *)&t->frame))
		coo_ignore(uv_timer_start(&t->frame, on_frame, FRAME_MS, 0));
}

static void on_resized(uv_signal_t *h, int number)
{
	struct talk_term *t = h->data;

	(void)number;
	if (t->closing)
		return;
	t->columns = screen_columns(t);
	edit->el_resize(t->el);
	draw(t);
}

static void start_editing(struct talk_term *t)
{
	edit->el_wset(t->el, EL_UNBUFFERED, 1);
}

static void stop_editing(struct talk_term *t)
{
	edit->el_wset(t->el, EL_UNBUFFERED, 0);
}

/* Ctrl-Z: the shell gets its terminal as it was, and what was typed is there again afterwards. */
static void on_stopped(uv_signal_t *h, int number)
{
	struct talk_term *t = h->data;
	const LineInfoW *line = edit->el_wline(t->el);
	size_t n = (size_t)(line->lastchar - line->buffer);
	wchar_t *typed = xcalloc(n + 1, sizeof(*typed));
	struct strbuf b = { NULL, 0, 0 };

	(void)number;
	wmemcpy(typed, line->buffer, n);
	put_erase(t, &b);
	write_all(b.p, b.n);
	strbuf_free(&b);
	stop_editing(t);
	edit->el_wset(t->el, EL_SETTY, L"-x", L"+echo", NULL);
	coo_ignore(raise(SIGSTOP));
	edit->el_wset(t->el, EL_SETTY, L"-x", L"-echo", NULL);
	start_editing(t);
	t->columns = screen_columns(t);
	if (n > 0)
		coo_ignore(edit->el_winsertstr(t->el, typed));
	draw(t);
	free(typed);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void remember(struct talk_term *t, const wchar_t *line)
{
	HistEventW ev;

	if (*line == L'\0')
		return;
	edit->history_w(t->history, &ev, H_ENTER, line);
	if (t->history_path)
		edit->history_w(t->history, &ev, H_SAVE, t->history_path);
}

/* The line as typed leaves the screen: its user prints it among the traffic, with time and peer. */
static void take_line(struct talk_term *t, const wchar_t *text, size_t n)
{
	wchar_t *line = xcalloc(n + 1, sizeof(*line));
	uint8_t *mem = xcalloc(n + 1, 4);
	char up[32];
	coo_buf b;

	wmemcpy(line, text, n);
	coo_buf_init(&b, mem, (n + 1) * 4);
	for (size_t i = 0; i < n; i++)
		coo_utf8_put(&b, (uint32_t)line[i]);
	remember(t, line);
	stop_editing(t);
	snprintf(up, sizeof(up), "\033[%uA\r\033[J", row_of(t, line, line + n) + 1);
	write_all(up, strlen(up));
	start_editing(t);
	t->fns->line(t->user, coo_buf_span(&b));
	free(mem);
	free(line);
}

static void take_key(struct talk_term *t)
{
	int n = 0;
	const wchar_t *text = edit->el_wgets(t->el, &n);

	if (!text || n <= 0)
		return;
	if (text[n - 1] == L'\n' || text[n - 1] == L'\r')
		take_line(t, text, (size_t)n - 1);
	else if (n == 1 && text[0] == 4)
		t->fns->end(t->user);
}

static void on_keys(uv_poll_t *h, int status, int events)
{
	struct talk_term *t = h->data;
	uint32_t cp;

	(void)events;
	if (status != 0 || !read_keys(t)) {
		coo_ignore(uv_poll_stop(h));
		t->fns->end(t->user);
		return;
	}
	while (!t->closing && whole_char(t, &cp) > 0)
		take_key(t);
}

/* --- opening and closing --------------------------------------------------------------------- */

/* libedit draws through the locale: without one that knows UTF-8 it would show \U+4F60. */
static void want_utf8(void)
{
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 && !setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "en_US.UTF-8");
}

static void load_history(struct talk_term *t, const char *path)
{
	HistEventW ev;

	t->history = edit->history_winit();
	if (!t->history) {
		say_error("out of memory");
		exit(EXIT_SYSTEM);
	}
	edit->history_w(t->history, &ev, H_SETSIZE, HISTORY_LINES);
	edit->history_w(t->history, &ev, H_SETUNIQUE, 1);
	if (path) {
		t->history_path = xstrdup(path);
		edit->history_w(t->history, &ev, H_LOAD, path);
	}
	edit->el_wset(t->el, EL_HIST, edit->history_w, t->history);
}

static bool open_editor(struct talk_term *t, const char *history)
{
	t->el = edit->el_init("coo", stdin, stdout, stderr);
	if (!t->el)
		return false;
	edit->el_wset(t->el, EL_CLIENTDATA, t);
	edit->el_wset(t->el, EL_PROMPT, get_prompt);
	edit->el_wset(t->el, EL_EDITOR, L"emacs");
	edit->el_wset(t->el, EL_SIGNAL, 0);
	edit->el_wset(t->el, EL_GETCFN, get_char);
	/* between two lines the terminal is cooked for a moment: no echo of what is typed then */
	edit->el_wset(t->el, EL_SETTY, L"-x", L"-echo", NULL);
	edit->el_wset(t->el, EL_BIND, L"^[[3~", L"ed-delete-next-char", NULL);
	edit->el_wset(t->el, EL_BIND, L"^[[H", L"ed-move-to-beg", NULL);
	edit->el_wset(t->el, EL_BIND, L"^[[F", L"ed-move-to-end", NULL);
	edit->el_wset(t->el, EL_BIND, L"^[[1~", L"ed-move-to-beg", NULL);
	edit->el_wset(t->el, EL_BIND, L"^[[4~", L"ed-move-to-end", NULL);
	edit->el_wset(t->el, EL_BIND, L"^R", L"em-inc-search-prev", NULL);
	edit->el_wset(t->el, EL_BIND, L"^W", L"ed-delete-prev-word", NULL);
	load_history(t, history);
	return true;
}

static int open_keys(void)
{
	const char *name = ttyname(STDIN_FILENO);

	return name ? open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK) : -1;
}

struct talk_term *talk_term_open(uv_loop_t *loop, const char *history,
				 const struct talk_term_fns *fns, void *user)
{
	struct talk_term *t;
	const char *why;

	edit = edit_lib_get(&why);
	if (!edit) {
		say_error(
		    "cannot edit lines without libedit: %s; \"coo talk … | cat\" and < FILE do "
		    "without",
		    why ? why : "it is too old");
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	want_utf8();
	t->loop = loop;
	t->fns = fns;
	t->user = user;
	t->fd = open_keys();
	if (t->fd < 0 || !open_editor(t, history) || uv_poll_init(loop, &t->keys, t->fd) != 0) {
		say_error("the terminal cannot be used: %s", strerror(errno));
		if (t->el)
			edit->el_end(t->el);
		if (t->fd >= 0)
			close(t->fd);
		free(t);
		return NULL;
	}
	coo_ignore(uv_timer_init(loop, &t->frame));
	coo_ignore(uv_signal_init(loop, &t->resized));
	coo_ignore(uv_signal_init(loop, &t->stopped));
	t->keys.data = t->frame.data = t->resized.data = t->stopped.data = t;
	t->handles = 4;
	t->columns = screen_columns(t);
	coo_ignore(uv_signal_start(&t->resized, on_resized, SIGWINCH));
	coo_ignore(uv_signal_start(&t->stopped, on_stopped, SIGTSTP));
	coo_ignore(uv_poll_start(&t->keys, UV_READABLE, on_keys));
	start_editing(t);
	return t;
}

static void on_closed(uv_handle_t *h)
{
	struct talk_term *t = h->data;

	if (--t->handles > 0)
		return;
	close(t->fd);
	strbuf_free(&t->above);
	free(t->history_path);
	free(t);
}

void talk_term_close(struct talk_term *t)
{
	struct strbuf b = { NULL, 0, 0 };

	if (!t || t->closing)
		return;
	put_erase(t, &b);
	strbuf_put(&b, strbuf_span(&t->above));
	write_all(b.p, b.n);
	strbuf_free(&b);
	t->closing = true;
	stop_editing(t);
	edit->el_wset(t->el, EL_SETTY, L"-x", L"+echo", NULL);
	edit->el_end(t->el);
	edit->history_wend(t->history);
	uv_close((uv_handle_t *)&t->keys, on_closed);
	uv_close((uv_handle_t *)&t->frame, on_closed);
	uv_close((uv_handle_t *)&t->resized, on_closed);
	uv_close((uv_handle_t *)&t->stopped, on_closed);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/top.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/client.h"
#include "gwd/command.h"
#include "gwd/request.h"
#include "gwd/top_view.h"

#define TOP_PERIOD_MS 1000
#define TOP_LINES 24 // of a terminal that doesn't say

static volatile sig_atomic_t top_ended;

static void top_on_signal(int number)
{
	(void)number;
	top_ended = 1;
}

// ---- the terminal ----------------------------------------------------------------------------

struct terminal {
	bool has_keys; // stdin is one, too
	struct termios before;
};

static void terminal_open(struct terminal *t)
{
	struct sigaction action = {.sa_handler = top_on_signal};
	t->has_keys = tcgetattr(STDIN_FILENO, &t->before) == 0;
	if (t->has_keys) {
		struct termios raw = t->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	for (size_t i = 0; i < 3; i++)
		sigaction((const int[]){SIGINT, SIGTERM, SIGHUP}[i], &action, NULL);
	fputs("\033[?1049h\033[?25l", stdout); // another screen, no cursor
}

static void terminal_close(const struct terminal *t)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (t->has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
}

static size_t terminal_lines(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : TOP_LINES;
}

// Each line over the old one, and the rest cleared: nothing flickers.
static void terminal_show(const struct buf *picture)
{
	fputs("\033[H", stdout);
	for (const char *line = buf_text(picture); *line; line += strcspn(line, "\n") + 1)
		printf("%.*s\033[K\r\n", (int)strcspn(line, "\n"), line);
	fputs("\033[J", stdout);
	fflush(stdout);
}

// Waits for a key or for the next picture. False: it is the end.
static bool terminal_wait(const struct terminal *t)
{
	struct pollfd keys = {.fd = t->has_keys ? STDIN_FILENO : -1, .events = POLLIN};
	char key = 0;
	int n = poll(&keys, 1, TOP_PERIOD_MS);
	if (top_ended || (n < 0 && errno != EINTR))
		return false;
	if (n > 0 && read(STDIN_FILENO, &key, 1) <= 0)
		return false;
	return key != 'q' && key != 'Q';
}

// ---- gwd -------------------------------------------------------------------------------------

static int top_ask(const char *path, struct top_view *view, struct err *err)
{
	const struct request request = {.command = "status", .json = true};
	struct buf body = {0};
	int exit = REPLY_FAILED;
	int rc = client_ask(path, &request, &exit, &body, NULL, err);
	if (rc == 0)
		rc = exit ? err_set(err, EIO, "%.300s", buf_text(&body))
			  : top_view_take(view, buf_text(&body), err);
	buf_free(&body);
	return rc;
}

static int top_live(const char *path, struct top_view *view, struct err *err)
{
	struct terminal terminal;
	int rc;
	terminal_open(&terminal);
	do {
		struct buf picture = {0};
		rc = top_ask(path, view, err);
		if (rc == 0) {
			top_view_draw(view, terminal_lines() - 1, &picture);
			terminal_show(&picture);
		}
		buf_free(&picture);
	} while (rc == 0 && terminal_wait(&terminal));
	terminal_close(&terminal);
	return rc;
}

int top_run(const char *path)
{
	struct err err = {""};
	setlocale(LC_CTYPE, "");
	struct top_view *view = top_view_new(!strcmp(nl_langinfo(CODESET), "UTF-8"));
	setlocale(LC_CTYPE, "C");
	int rc;
	if (isatty(STDOUT_FILENO)) {
		rc = top_live(path, view, &err);
	} else if ((rc = top_ask(path, view, &err)) == 0) {
		struct buf picture = {0};
		top_view_draw(view, SIZE_MAX, &picture);
		fputs(buf_text(&picture), stdout);
		buf_free(&picture);
	}
	if (rc < 0)
		fprintf(stderr, "gwctl: %s\n", err.text);
	top_view_free(view);
	return rc < 0 ? REPLY_FAILED : REPLY_DONE;
}

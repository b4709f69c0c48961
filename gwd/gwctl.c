// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl: asks the running gwd and prints what it answers; what is about a file alone needs none (offline.h).
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/client.h"
#include "gwd/command.h"
#include "gwd/command_list.h"
#include "gwd/control.h"
#include "gwd/offline.h"
#include "gwd/request.h"
#include "gwd/top.h"

#define HELP_WIDTH 14 // of a command and its arguments, beside the help

// ---- help ------------------------------------------------------------------------------------

static void print_command(const char *name, const char *args, const char *help)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %s", name, args);
	if (n > HELP_WIDTH) {
		printf("  %s\n", text);
		text[0] = 0;
	}
	printf("  %-*s %s\n", HELP_WIDTH, text, help);
}

static int help(void)
{
	printf("usage: gwctl [-s SOCKET] [-j] COMMAND\n\n");
	print_command("top", "", "the gateways live, with the last minutes as curves; q ends");
	for (const struct command_info *info = command_list; info->name; info++)
		print_command(info->name, info->args, info->help);
	print_command("check", "FILE", "errors of a configuration file, without the daemon");
	printf("\n"
	       "  -s SOCKET      of the gwd to ask; else $GWD_SOCKET, else %s\n"
	       "  -j             JSON instead of tables\n"
	       "  -h, --help     this text\n\n"
	       "Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n",
	       CONTROL_PATH);
	return REPLY_DONE;
}

static int usage(const char *what)
{
	fprintf(stderr, "gwctl: %s\n", what);
	return REPLY_USAGE;
}

// ---- colour ----------------------------------------------------------------------------------

static bool want_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static const char *state_colour(const char *word, size_t size)
{
	static const struct {
		const char *state, *colour;
	} colours[] = {{"up", "\033[32m"},    {"degraded", "\033[33m"}, {"unknown", "\033[33m"},
		       {"drain", "\033[36m"}, {"disabled", "\033[36m"}, {"down", "\033[1;31m"}};
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (strlen(colours[i].state) == size && !strncmp(colours[i].state, word, size))
			return colours[i].colour;
	return NULL;
}

// A state stands second in its line: behind a gateway's name, or behind "state", "IPv4", "IPv6".
static void print_painted(const char *text)
{
	for (const char *line = text, *next; *line; line = next) {
		size_t first = strcspn(line, " \n"), gap = strspn(line + first, " ");
		const char *word = line + first + gap;
		size_t size = strcspn(word, " :\n");
		const char *colour = first && gap ? state_colour(word, size) : NULL;
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (colour)
			printf("%.*s%s%.*s\033[0m%.*s", (int)(word - line), line, colour, (int)size, word,
			       (int)(next - word - (ptrdiff_t)size), word + size);
		else
			printf("%.*s", (int)(next - line), line);
	}
}

// ---- commands --------------------------------------------------------------------------------

static int run_offline(const struct request *request)
{
	struct buf out = {0}, errors = {0};
	int status = offline_run(request, &out, &errors);
	fputs(buf_text(&out), stdout);
	fputs(buf_text(&errors), stderr);
	buf_free(&out);
	buf_free(&errors);
	return status;
}

static int top(const char *path, const struct request *request)
{
	if (request->n_args)
		return usage("usage: gwctl top");
	if (request->json)
		return usage("top has no JSON form: leave -j out");
	return top_run(path);
}

static void print_on(const char *text, size_t n)
{
	if (fwrite(text, 1, n, stdout) != n || fflush(stdout) != 0)
		exit(REPLY_FAILED); // nobody reads any more
}

static int ask(const char *path, const struct request *request)
{
	struct buf body = {0};
	struct err err;
	int status = REPLY_FAILED;
	if (command_check(request, &err) < 0)
		return usage(err.text);
	int rc = client_ask(path, request, &status, &body, print_on, &err);
	if (rc < 0)
		fprintf(stderr, "gwctl: %s\n", err.text);
	else if (status != REPLY_DONE)
		fputs(buf_text(&body), stderr);
	else if (!strcmp(request->command, "status") && !request->json && want_colour())
		print_painted(buf_text(&body));
	else
		fputs(buf_text(&body), stdout);
	buf_free(&body);
	return rc < 0 ? REPLY_FAILED : status;
}

static int finish(int exit)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("gwctl: can't write the answer");
		return REPLY_FAILED;
	}
	return exit;
}

static bool is_negative(const char *word)
{
	return word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

// The command and its arguments, between and behind options.
static void take_word(struct request *request, const char *word)
{
	if (!request->command)
		request->command = word;
	else if (request->n_args == REQUEST_ARGS)
		exit(usage("too many arguments"));
	else
		request->args[request->n_args++] = word;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	struct request request = {0};
	const char *path = getenv("GWD_SOCKET");
	bool follow = false;
	int opt;
	for (;;) {
		while (optind < argc && is_negative(argv[optind])) // a number to be refused, not an option
			take_word(&request, argv[optind++]);
		opt = getopt_long(argc, argv, "-s:jfh", options, NULL);
		if (opt == -1)
			break;
		switch (opt) {
		case 1:
			take_word(&request, optarg);
			break;
		case 's':
			path = optarg;
			break;
		case 'j':
			request.json = true;
			break;
		case 'f':
			follow = true;
			break;
		case 'h':
			return finish(help());
		default:
			return usage("usage: gwctl [-s SOCKET] [-j] COMMAND; gwctl -h lists the commands");
		}
	}
	while (optind < argc) // behind --
		take_word(&request, argv[optind++]);
	if (!request.command)
		return usage("which COMMAND? gwctl -h lists them");
	if (follow)
		take_word(&request, "-f");
	path = path && *path ? path : CONTROL_PATH;
	if (!strcmp(request.command, "top"))
		return finish(top(path, &request));
	if (offline_can(&request))
		return finish(run_offline(&request));
	return finish(ask(path, &request));
}

// SPDX-License-Identifier: GPL-2.0-or-later
// main: the daemon's command line and its signals. The work is in engine.c.
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/control.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/engine.h"
#include "gwd/preview.h"
#include "gwd/web.h"
#include "probes/turn.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct main_options {
	const char *config;
	const char *socket; // NULL: what the file says
	unsigned verbose;
	bool test, dry_run;
};

static const char main_usage[] =
	"usage: gwd [-c FILE] [-s SOCKET] [-v]... [-t | -n] [-V]\n"
	"  -c FILE    configuration (default /etc/gwd/gwd.conf)\n"
	"  -s SOCKET  control socket, instead of the one that the file names\n"
	"  -t         check the file and the host, then end\n"
	"  -n         print what would be put into the kernel, as ip and nft commands, then end\n"
	"  -v         also log what is done\n"
	"  -V         version\n"
	"Runs in the foreground and logs to stderr. SIGHUP reloads, SIGTERM ends, SIGUSR1 logs the state.\n";

static int main_parse(struct main_options *options, int argc, char **argv)
{
	int c;
	*options = (struct main_options){.config = "/etc/gwd/gwd.conf"};
	while ((c = getopt(argc, argv, "c:s:tnvVh")) != -1) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 't':
			options->test = true;
			break;
		case 'n':
			options->dry_run = true;
			break;
		case 'v':
			options->verbose++;
			break;
		case 'V':
			puts("gwd " GWD_VERSION);
			return EXIT_FINE;
		case 'h':
			fputs(main_usage, stdout);
			return EXIT_FINE;
		default:
			fputs(main_usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc || (options->test && options->dry_run)) {
		fputs(main_usage, stderr);
		return EXIT_USAGE;
	}
	return -1; // go on
}

// ---- signals -------------------------------------------------------------------------------

struct main_run {
	struct event_base *base;
	struct engine *engine;
	const char *socket;
	struct event *signals[4];
};

static void main_on_end(int number, short what, void *arg)
{
	struct main_run *run = arg;
	(void)what;
	log_info("main", "ending on signal %d", number);
	event_base_loopbreak(run->base);
}

static void main_on_reload(int number, short what, void *arg)
{
	struct main_run *run = arg;
	struct buf report = {0};
	(void)number, (void)what;
	engine_reload(run->engine, &report);
	for (char *line, *rest = report.text; (line = strsep(&rest, "\n"));)
		if (*line)
			log_warn("conf", "%s", line);
	buf_free(&report);
}

static void main_on_reloaded(void *arg)
{
	struct main_run *run = arg;
	struct err err;
	const struct model_globals *globals = &engine_model(run->engine)->globals;
	const char *socket = run->socket ? run->socket : globals->control;
	if (control_update(socket, globals->control_group, &err) ||
	    engine_move_state(run->engine, socket, &err))
		log_warn("control", "%s", err.text);
	web_update(&globals->http, globals->http_port);
}

static void main_on_state(int number, short what, void *arg)
{
	struct main_run *run = arg;
	(void)number, (void)what;
	vec_each(&engine_applied(run->engine)->gateways, gw)
		log_info("state", "%s: %s for %lld s: %s", gw->name, state_name(gw->state),
			 (long long)(mono_now_ms() - engine_since_ms(run->engine, gw->name)) / 1000,
			 gw->reason);
	if (engine_failure(run->engine))
		log_info("state", "not in force: %s", engine_failure(run->engine));
}

// ---- the daemon ----------------------------------------------------------------------------

static const struct {
	int number;
	event_callback_fn handler;
} main_signals[] = {
	{SIGTERM, main_on_end}, {SIGINT, main_on_end}, {SIGHUP, main_on_reload}, {SIGUSR1, main_on_state}};

// A reload right behind the start, as systemd may ask for, must not be the end.
static void main_hold(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(how, &set, NULL);
}

// One that comes before the loop is answered by the loop.
static void main_catch(struct main_run *run)
{
	for (size_t i = 0; i < ARRAY_SIZE(main_signals); i++) {
		run->signals[i] =
			evsignal_new(run->base, main_signals[i].number, main_signals[i].handler, run);
		event_add(run->signals[i], NULL);
	}
	main_hold(SIG_UNBLOCK);
}

static void main_release(struct main_run *run)
{
	for (size_t i = 0; i < ARRAY_SIZE(main_signals); i++)
		event_free(run->signals[i]);
}

static int main_run(const struct main_options *options, struct model *model)
{
	struct main_run run = {.base = turn_base_new(), .socket = options->socket};
	struct err err = {""};
	const char *socket = options->socket ? options->socket : model->globals.control;
	const char *group = model->globals.control_group;
	int status = EXIT_FAILED;
	signal(SIGPIPE, SIG_IGN);
	main_catch(&run);
	if (control_claim(socket, &err)) { // before anything is done to the kernel that another gwd uses
		log_error("main", "%s", err.text);
		model_free(model);
		goto out;
	}
	run.engine = engine_new(run.base, model, socket, &err);
	if (!run.engine || control_open(run.base, run.engine, socket, group, &err)) {
		log_error("main", "%s", err.text);
		goto out;
	}
	web_open(run.base, run.engine, &engine_model(run.engine)->globals.http,
		 engine_model(run.engine)->globals.http_port);
	engine_on_reload(run.engine, main_on_reloaded, &run);
	log_info("main", "gwd %s is ready", GWD_VERSION);
	event_base_dispatch(run.base);
	status = EXIT_FINE;
	if (engine_model(run.engine)->globals.remove_on_exit && engine_flush(run.engine, &err)) {
		log_error("main", "something of gwd's stays in the kernel: %s", err.text);
		status = EXIT_FAILED;
	}
out:
	web_close();
	control_close();
	engine_free(run.engine);
	main_release(&run);
	event_base_free(run.base);
	return status;
}

int main(int argc, char **argv)
{
	struct main_options options;
	struct model *model;
	struct buf report = {0};
	int status = main_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	main_hold(SIG_BLOCK);
	// for the sake of fast bins glibc goes through all that is free whenever something large is
	mallopt(M_MXFAST, 0);
	if (options.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	int r = conf_load(options.config, &model, &report);
	fputs(buf_text(&report), stderr);
	buf_free(&report);
	if (r)
		return EXIT_USAGE;
	if (!options.test && !options.dry_run)
		return main_run(&options, model);
	r = options.test ? preview_check(model, stdout) : preview_print(model, stdout);
	model_free(model);
	return r ? EXIT_FAILED : EXIT_FINE;
}

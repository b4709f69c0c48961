// SPDX-License-Identifier: GPL-2.0-or-later
// watching: checkers over the lab's links, without the daemon: the test itself is inside the router
// and runs the event loop.
//
//	struct watching w = watching_start(&(struct lab_spec){.isps = 2});
//	struct watched s;
//	watching_isp(&s, &w, 1, AF_INET, &watching_shipped, NULL);
//	watching_wait(&s, STATE_UP, 2000);
//	checker_free(s.checker);
//	watching_finish(&w);
#ifndef GWD_TEST_NET_WATCHING_H
#define GWD_TEST_NET_WATCHING_H

#include <criterion/criterion.h>
#include <stdint.h>

#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "probes/checker.h"
#include "probes/prober.h"
#include "test/lab/lab.h"

struct watching {
	struct lab *lab;
	struct event_base *base;
	struct prober_set *set;
};

struct watched {
	struct watching *watching;
	struct checker *checker;
	struct checker_binding binding;
	struct verdict verdict; // as the last callback had it
	int64_t changed_ms;     // last change of state
	size_t changes;
	bool waits; // the loop ends when it has this state
	enum state wanted;
};

extern const struct model_probe watching_shipped; // icmp, with the shipped defaults

struct watching watching_start(const struct lab_spec *spec);
void watching_finish(struct watching *w);

// Starts a checker with the binding (and .watching) that `s` has; `target`: an address, a name, or
// NULL for what the probe has, which may be the next hop.
void watching_check(struct watched *s, const struct model_probe *probe, const char *target);

// The same with a fresh `s` and the binding of this ISP's link.
void watching_isp(struct watched *s, struct watching *w, int isp, int family, const struct model_probe *probe,
		  const char *target);

void watching_run(struct watching *w, int ms);
void watching_wait(struct watched *s, enum state state, int timeout_ms); // asserts that it comes

#endif

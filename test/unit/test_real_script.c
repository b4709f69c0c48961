// SPDX-License-Identifier: GPL-2.0-or-later
// The scripts for reals, compared with test/golden/real-script/SERVICE.REAL.FORWARD[.redirect].sh.
// GOLDEN_WRITE=1 in the environment writes them anew, for a person to read and judge.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"
#include "gwd/real_script.h"

#define FOLDER "test/golden/real-script/"

struct world {
	struct model *model;
	struct facts facts;
};

static void add_address(struct world *w, const char *ifname, const char *address, uint8_t len)
{
	struct fact_iface *iface = NULL;
	vec_each(&w->facts.ifaces, old)
		if (!strcmp(old->name, ifname))
			iface = old;
	if (!iface) {
		vec_add(&w->facts.ifaces, iface);
		snprintf(iface->name, sizeof(iface->name), "%s", ifname);
		iface->index = (uint32_t)w->facts.ifaces.n;
	}
	struct fact_addr own = {.len = len, .usable = true};
	cr_assert(addr_parse(address, &own.addr));
	vec_push(&iface->addrs, own);
}

static struct world begin(void)
{
	struct world w = {0};
	struct buf report = {0};
	cr_assert_eq(conf_load(FOLDER "gwd.conf", &w.model, &report), 0, "%s", buf_text(&report));
	buf_free(&report);
	add_address(&w, "wan1", "100.64.1.2", 24);
	add_address(&w, "lan0", "10.0.0.1", 24);
	add_address(&w, "lan0", "fd00::1", 64);
	add_address(&w, "dmz0", "10.7.0.1", 16);
	add_address(&w, "dmz0", "fd07::1", 64);
	return w;
}

static void end(struct world *w)
{
	model_free(w->model);
	facts_free(&w->facts);
}

static struct model_real *find(struct world *w, const char *name)
{
	char full[MODEL_REAL_NAME_SIZE];
	struct model_real *found = NULL;
	for (size_t i = 0; i < w->model->n_services; i++)
		for (size_t k = 0; k < w->model->services[i].n_reals; k++) {
			struct model_real *real = &w->model->services[i].reals[k];
			snprintf(full, sizeof(full), "%s/%s", w->model->services[i].name, real->name);
			if (!strcmp(full, name))
				found = real;
		}
	cr_assert_not_null(found, "no %s", name);
	return found;
}

static void read_golden(const char *path, const char *written, struct buf *out)
{
	char chunk[4096];
	size_t n;
	FILE *f;
	if (getenv("GOLDEN_WRITE")) {
		cr_assert(f = fopen(path, "we"));
		fputs(written, f);
		fclose(f);
	}
	cr_assert(f = fopen(path, "re"), "%s is missing", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
}

static void expect(const char *name, enum forward forward, bool redirect)
{
	struct world w = begin();
	struct buf script = {0}, golden = {0};
	struct err err = {""};
	char path[200];
	find(&w, name)->forward = forward;
	cr_assert_eq(real_script(w.model, &w.facts, name, redirect, &script, &err), 0, "%s", err.text);
	snprintf(path, sizeof(path), FOLDER "%s.%s%s.sh", name, forward_name(forward),
		 redirect ? ".redirect" : "");
	*strchr(path + strlen(FOLDER), '/') = '.';
	read_golden(path, buf_text(&script), &golden);
	cr_expect_str_eq(buf_text(&script), buf_text(&golden), "%s:\n%s", path, buf_text(&script));
	buf_free(&script);
	buf_free(&golden);
	end(&w);
}

Test(real_script, by_nat)
{
	expect("web/inside", FORWARD_NAT, false);
	expect("web/inside6", FORWARD_NAT, false);
	expect("web/dmz", FORWARD_NAT, false);
	expect("web/far", FORWARD_NAT, false);
	expect("web/sorry", FORWARD_NAT, false);
	expect("many/dmz", FORWARD_NAT, false);
	expect("many/dmz6", FORWARD_NAT, false);
}

Test(real_script, by_fullnat_and_local)
{
	expect("web/full", FORWARD_FULLNAT, false);
	expect("web/full9", FORWARD_FULLNAT, false);
	expect("many/full", FORWARD_FULLNAT, false);
	expect("many/full6", FORWARD_FULLNAT, false);
	expect("web/here", FORWARD_LOCAL, false);
}

Test(real_script, by_dr_and_tun)
{
	static const char *const names[] = {"web/inside", "web/inside6", "many/dmz", "many/dmz6"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int redirect = 0; redirect <= 1; redirect++) {
			expect(names[i], FORWARD_DR, redirect);
			expect(names[i], FORWARD_TUN, redirect);
		}
}

static void expect_refused(const char *name, bool redirect, const char *sentence)
{
	struct world w = begin();
	struct buf script = {0};
	struct err err = {""};
	cr_expect_lt(real_script(w.model, &w.facts, name, redirect, &script, &err), 0);
	cr_expect_str_eq(err.text, sentence);
	cr_expect_eq(script.n, 0);
	buf_free(&script);
	end(&w);
}

Test(real_script, refused)
{
	expect_refused("web", false, "no real is named \"web\": write SERVICE/REAL");
	expect_refused("web/nobody", false, "no real is named \"web/nobody\": write SERVICE/REAL");
	expect_refused("", false, "no real is named \"\": write SERVICE/REAL");
	expect_refused("web/inside", true,
		       "redirect is only for dr and tun, and web/inside is by nat: leave it out");
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status_text.h"

#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/facts.h"
#include "gwd/core/named.h"
#include "gwd/figure.h"
#include "gwd/status.h"
#include "gwd/status_service.h"
#include "gwd/table.h"

// ---- all gateways ----------------------------------------------------------------------------

static bool is_well(const struct status_gateway *gw) // and in every family that it is meant for
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (gw->family[fam].wanted && gw->family[fam].state != STATE_UP)
			return false;
	return gw->state == STATE_UP;
}

static void gateway_row(struct table *t, const struct status *status, const struct status_gateway *gw)
{
	const struct status_family *family = &gw->family[gw->main_family];
	char text[FIGURE_TEXT];
	table_row(t);
	table_cell(t, "%s", gw->conf->name);
	table_cell(t, "%s", state_name(gw->state));
	table_cell(t, "%s", figure_age(status->now_ms - gw->measured.since_ms, text));
	table_cell(t, "%s", figure_latency(family->latency_ms, text));
	table_cell(t, "%s", figure_share(family->loss, text));
	table_cell(t, "%u", gw->weight);
	table_cell(t, "%s", figure_count(gw->measured.flows, text));
	table_cell(t, "%s", figure_amount(gw->measured.rx_bps, text));
	table_cell(t, "%s", figure_amount(gw->measured.tx_bps, text));
	table_cell(t, "%s", gw->conf->interface);
	bool well = is_well(gw), told = !well && !strncmp(gw->reason, gw->manual, strlen(gw->manual));
	const char *manual = told ? "" : gw->manual;
	if (*manual || !well)
		table_note(t, "%s%s%s", manual, *manual && !well ? "; " : "", well ? "" : gw->reason);
}

static void put_gateways(const struct status *status, struct buf *out)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "GATEWAY");
	table_column(&t, TABLE_LEFT, "STATE");
	table_column(&t, TABLE_RIGHT, "SINCE");
	table_column(&t, TABLE_RIGHT, "LATENCY");
	table_column(&t, TABLE_RIGHT, "LOSS");
	table_column(&t, TABLE_RIGHT, "WEIGHT");
	table_column(&t, TABLE_RIGHT, "FLOWS");
	table_column(&t, TABLE_RIGHT, "RX");
	table_column(&t, TABLE_RIGHT, "TX");
	table_column(&t, TABLE_LEFT, "VIA");
	vec_each(&status->gateways, gw)
		gateway_row(&t, status, gw);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

// ---- all balances ----------------------------------------------------------------------------

static const char *persistence_text(const struct model_balance *conf, char text[FIGURE_TEXT])
{
	return conf->persistence_ms ? figure_duration(conf->persistence_ms, text) : "off";
}

// In words, whether new flows go there now, as against where the balance has others that take them.
const char *status_text_use(const struct status_balance *balance, const struct status_member *member)
{
	bool served[FAM_COUNT] = {false, false};
	vec_each(&balance->members, other)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			served[fam] |= other->active[fam];
	if (!member->weight)
		return "drain";
	if (!member->usable)
		return "no";
	if (!member->active[FAM_4] && !member->active[FAM_6])
		return "standby";
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (served[fam] && !member->active[fam])
			return fam == FAM_4 ? "IPv6 only" : "IPv4 only";
	return "yes";
}

static bool shares_differ(const struct status_balance *balance)
{
	char text4[FIGURE_TEXT], text6[FIGURE_TEXT];
	vec_each(&balance->members, member) {
		double share4 = member->share[FAM_4], share6 = member->share[FAM_6];
		if (share4 >= 0 && share6 >= 0 &&
		    strcmp(figure_share(share4, text4), figure_share(share6, text6)) != 0)
			return true;
	}
	return false;
}

// One column for both families, where they agree or only one is in use.
static void put_shares(struct table *t, const struct status_member *member, bool two)
{
	char text[FIGURE_TEXT];
	enum fam fam = !two && member->share[FAM_4] < 0 ? FAM_6 : FAM_4;
	table_cell(t, "%s", figure_share(member->share[fam], text));
	if (two)
		table_cell(t, "%s", figure_share(member->share[FAM_6], text));
}

static void balance_rows(struct table *t, const struct status_balance *balance, bool two)
{
	char text[FIGURE_TEXT];
	table_row(t);
	table_cell(t, "%s", balance->conf->name);
	table_cell(t, "%s", scheduler_name(balance->conf->scheduler));
	table_cell(t, "%s", persistence_text(balance->conf, text));
	table_cell(t, "%s", balance->conf->persistence_ms ? figure_count(balance->pins, text) : "-");
	if (balance->unpinned > 0)
		table_note(t, "no room for more pins: %s new connections were not pinned so far",
			   figure_count(balance->unpinned, text));
	vec_each(&balance->members, member) {
		table_row(t);
		table_cell(t, "  %s", member->gateway);
		for (int i = 0; i < 3; i++)
			table_cell(t, "%s", "");
		table_cell(t, "%u", member->use->tier);
		table_cell(t, "%u", member->weight);
		put_shares(t, member, two);
		table_cell(t, "%s", status_text_use(balance, member));
	}
}

void status_text_balances(const struct status *status, const char *name, struct buf *out)
{
	struct table t = {0};
	bool two = false;
	vec_each(&status->balances, balance)
		two |= (!name || !strcmp(name, balance->conf->name)) && shares_differ(balance);
	table_column(&t, TABLE_LEFT, "BALANCE");
	table_column(&t, TABLE_LEFT, "SCHEDULER");
	table_column(&t, TABLE_LEFT, "PERSISTENCE");
	table_column(&t, TABLE_RIGHT, "PINS");
	table_column(&t, TABLE_RIGHT, "TIER");
	table_column(&t, TABLE_RIGHT, "WEIGHT");
	table_column(&t, TABLE_RIGHT, two ? "SHARE4" : "SHARE");
	if (two)
		table_column(&t, TABLE_RIGHT, "SHARE6");
	table_column(&t, TABLE_LEFT, "IN USE");
	vec_each(&status->balances, balance)
		if (!name || !strcmp(name, balance->conf->name))
			balance_rows(&t, balance, two);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

// ---- the whole -------------------------------------------------------------------------------

static void put_sentence(const char *text, struct buf *out)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "");
	table_row(&t);
	table_cell(&t, "%s", text);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

// Rules that go by a name that can't be looked up.
static void put_names(const struct status *status, struct buf *out)
{
	const struct model *model = status->model;
	for (size_t i = 0; i < model->n_rules; i++) {
		const struct model_rule *rule = &model->rules[i];
		for (size_t k = 0; k < rule->n_to_names; k++) {
			const struct named *named =
				status->named ? named_find(status->named, rule->to_names[k]) : NULL;
			struct buf text = {0};
			if (!named || !*named->why)
				continue;
			buf_printf(&text, "! rule %s, to %s: %s; %s", rule->name, named->name, named->why,
				   named->addrs.n ? "it goes by the last known addresses"
						  : "no address is known, so it matches nothing");
			put_sentence(buf_text(&text), out);
			buf_free(&text);
		}
	}
}

static void put_warning(const struct status *status, struct buf *out)
{
	if (status->failure) {
		struct buf text = {0};
		buf_printf(&text, "! the kernel refused the last change, it is tried again: %s",
			   status->failure);
		put_sentence(buf_text(&text), out);
		buf_free(&text);
	} else if (!status->active) {
		put_sentence("! gwd has nothing in the kernel: it was flushed, a reload puts it back", out);
	}
}

// Without gateways, as on a host that only balances what comes in, there is nothing to say of balances.
static void put_all(const struct status *status, struct buf *out)
{
	if (status->gateways.n) {
		put_gateways(status, out);
		buf_puts(out, "\n");
		status_text_balances(status, NULL, out);
	}
	if (status->services.n) {
		buf_puts(out, status->gateways.n ? "\n" : "");
		status_text_services(status, NULL, out);
	}
}

void status_text(const struct status *status, const char *name, struct buf *out)
{
	put_warning(status, out);
	put_names(status, out);
	if (!name) {
		put_all(status, out);
		return;
	}
	vec_each(&status->gateways, gw)
		if (!strcmp(name, gw->conf->name))
			status_text_gateway(status, gw, out);
	vec_each(&status->balances, balance)
		if (!strcmp(name, balance->conf->name))
			status_text_balance(status, balance, out);
	vec_each(&status->services, service) {
		if (!strcmp(name, service->conf->name))
			status_text_service(status, service, out);
		vec_each(&service->reals, real)
			if (!strcmp(name, real->name))
				status_text_real(status, service, real, out);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gwd/base/buf.h"
#include "gwd/core/facts.h"
#include "gwd/table.h"

static const char *const family_name[FAM_COUNT] = {"IPv4", "IPv6"};

// ---- values ----------------------------------------------------------------------------------

#define VALUE_TEXT 32

static const char *age_text(int64_t ms, char text[VALUE_TEXT])
{
	long long s = ms > 0 ? ms / 1000 : 0;
	if (s < 60)
		snprintf(text, VALUE_TEXT, "%llds", s);
	else if (s < 3600)
		snprintf(text, VALUE_TEXT, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, VALUE_TEXT, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(text, VALUE_TEXT, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	return text;
}

// As the configuration writes it: the largest unit that divides it.
static const char *duration_text(unsigned ms, char text[VALUE_TEXT])
{
	static const struct {
		unsigned ms;
		const char *unit;
	} units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t u = 0;
	while (ms % units[u].ms)
		u++;
	snprintf(text, VALUE_TEXT, "%u%s", ms / units[u].ms, units[u].unit);
	return text;
}

static const char *amount_text(double value, char text[VALUE_TEXT])
{
	static const char unit[] = {0, 'k', 'M', 'G', 'T', 'P', 'E'};
	size_t u = 0;
	if (value < 0)
		return "-";
	for (; value >= 999.5 && u + 1 < sizeof(unit); u++)
		value /= 1000;
	snprintf(text, VALUE_TEXT, u && value < 99.95 ? "%.1f%c" : "%.0f%c", value, unit[u]);
	return text;
}

static const char *latency_text(double ms, char text[VALUE_TEXT])
{
	if (ms < 0)
		return "-";
	snprintf(text, VALUE_TEXT, ms < 9.95 ? "%.1f ms" : "%.0f ms", ms);
	return text;
}

static const char *share_text(double share, char text[VALUE_TEXT])
{
	if (share < 0)
		return "-";
	snprintf(text, VALUE_TEXT, "%.0f%%", share * 100);
	return text;
}

static const char *count_text(int64_t n, char text[VALUE_TEXT])
{
	if (n < 0)
		return "-";
	snprintf(text, VALUE_TEXT, "%lld", (long long)n);
	return text;
}

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
	char text[VALUE_TEXT];
	table_row(t);
	table_cell(t, "%s", gw->conf->name);
	table_cell(t, "%s", state_name(gw->state));
	table_cell(t, "%s", age_text(status->now_ms - gw->measured.since_ms, text));
	table_cell(t, "%s", latency_text(family->latency_ms, text));
	table_cell(t, "%s", share_text(family->loss, text));
	table_cell(t, "%u", gw->conf->weight);
	table_cell(t, "%s", count_text(gw->measured.flows, text));
	table_cell(t, "%s", amount_text(gw->measured.rx_bps, text));
	table_cell(t, "%s", amount_text(gw->measured.tx_bps, text));
	table_cell(t, "%s", gw->conf->interface);
	if (!is_well(gw))
		table_note(t, "%s", gw->reason);
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

static const char *persistence_text(const struct model_balance *conf, char text[VALUE_TEXT])
{
	return conf->persistence_ms ? duration_text(conf->persistence_ms, text) : "off";
}

// In words, whether new flows go there now, as against where the balance has others that take them.
static const char *use_text(const struct status_balance *balance, const struct status_member *member)
{
	bool served[FAM_COUNT] = {false, false};
	vec_each(&balance->members, other)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			served[fam] |= other->active[fam];
	if (!member->use->weight)
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
	char text4[VALUE_TEXT], text6[VALUE_TEXT];
	vec_each(&balance->members, member) {
		double share4 = member->share[FAM_4], share6 = member->share[FAM_6];
		if (share4 >= 0 && share6 >= 0 &&
		    strcmp(share_text(share4, text4), share_text(share6, text6)) != 0)
			return true;
	}
	return false;
}

// One column for both families, where they agree or only one is in use.
static void put_shares(struct table *t, const struct status_member *member, bool two)
{
	char text[VALUE_TEXT];
	enum fam fam = !two && member->share[FAM_4] < 0 ? FAM_6 : FAM_4;
	table_cell(t, "%s", share_text(member->share[fam], text));
	if (two)
		table_cell(t, "%s", share_text(member->share[FAM_6], text));
}

static void balance_rows(struct table *t, const struct status_balance *balance, bool two)
{
	char text[VALUE_TEXT];
	table_row(t);
	table_cell(t, "%s", balance->conf->name);
	table_cell(t, "%s", scheduler_name(balance->conf->scheduler));
	table_cell(t, "%s", persistence_text(balance->conf, text));
	table_cell(t, "%s", balance->conf->persistence_ms ? count_text(balance->pins, text) : "-");
	vec_each(&balance->members, member) {
		table_row(t);
		table_cell(t, "  %s", member->gateway);
		for (int i = 0; i < 3; i++)
			table_cell(t, "%s", "");
		table_cell(t, "%u", member->use->tier);
		table_cell(t, "%u", member->use->weight);
		put_shares(t, member, two);
		table_cell(t, "%s", use_text(balance, member));
	}
}

static void put_balances(const struct status *status, const char *name, struct buf *out)
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

// ---- one thing in detail ---------------------------------------------------------------------

static void field(struct table *t, const char *name)
{
	table_row(t);
	table_cell(t, "%s", name);
}

static void put_family(struct table *t, const struct status_gateway *gw, enum fam fam)
{
	const struct status_family *family = &gw->family[fam];
	char addr[ADDR_TEXT], text[VALUE_TEXT];
	struct buf line = {0};
	buf_printf(&line, "%s: %s", state_name(family->state), family->reason);
	if (!addr_is_none(&family->next_hop))
		buf_printf(&line, "; next hop %s", addr_text(&family->next_hop, addr));
	if (!addr_is_none(&family->source))
		buf_printf(&line, "; from %s", addr_text(&family->source, addr));
	if (family->latency_ms >= 0)
		buf_printf(&line, "; latency %s", latency_text(family->latency_ms, text));
	if (family->jitter_ms >= 0)
		buf_printf(&line, "; jitter %s", latency_text(family->jitter_ms, text));
	if (family->loss >= 0)
		buf_printf(&line, "; loss %s", share_text(family->loss, text));
	field(t, family_name[fam]);
	table_cell(t, "%s", family->wanted ? buf_text(&line) : "not used");
	buf_free(&line);
}

static void put_interface(struct table *t, const struct status_gateway *gw)
{
	const struct fact_iface *iface = gw->iface;
	char rx[VALUE_TEXT], tx[VALUE_TEXT];
	field(t, "interface");
	if (!iface) {
		table_cell(t, "%s, which does not exist", gw->conf->interface);
		return;
	}
	table_cell(t, "%s, %s", iface->name, !iface->up ? "down" : !iface->carrier ? "no carrier" : "up");
	field(t, "received");
	table_cell(t, "%sbit/s, %sB in all", amount_text(gw->measured.rx_bps, rx),
		   amount_text((double)iface->rx_bytes, tx));
	field(t, "sent");
	table_cell(t, "%sbit/s, %sB in all", amount_text(gw->measured.tx_bps, rx),
		   amount_text((double)iface->tx_bytes, tx));
}

static const char *snat_text(const struct model_snat *snat, char text[2 * ADDR_TEXT])
{
	char first[ADDR_TEXT], last[ADDR_TEXT];
	switch (snat->mode) {
	case SNAT_MASQUERADE:
		return "masquerade";
	case SNAT_NONE:
		return "none";
	case SNAT_ADDRESS:
		break;
	}
	addr_text(&snat->first, first);
	addr_text(&snat->last, last);
	if (addr_equal(&snat->first, &snat->last))
		snprintf(text, 2 * ADDR_TEXT, "%s", first);
	else
		snprintf(text, 2 * ADDR_TEXT, "%s-%s", first, last);
	return text;
}

static void put_probes(struct table *t, const struct model *model, const struct model_gateway *gw)
{
	char addr[ADDR_TEXT];
	for (size_t i = 0; i < gw->n_probes; i++) {
		const struct model_probe *probe = &model->probes[gw->probes[i]];
		struct buf line = {0};
		for (size_t k = 0; k < probe->n_targets; k++)
			buf_printf(&line, " %s", addr_text(&probe->targets[k], addr));
		field(t, "probe");
		table_cell(t, "%s: icmp to%s, %u must answer", probe->name,
			   probe->n_targets ? buf_text(&line) : " the next hop", probe->need);
		buf_free(&line);
	}
	if (gw->n_probes > 1) {
		field(t, "");
		table_cell(t, "%u of these %zu must be up", gw->need, gw->n_probes);
	}
}

// Who sends flows here.
static void put_users(struct table *t, const struct status *status, const char *gateway)
{
	char text[VALUE_TEXT];
	vec_each(&status->balances, balance)
		vec_each(&balance->members, member) {
			if (strcmp(member->gateway, gateway) != 0)
				continue;
			enum fam fam = member->share[FAM_4] < 0 ? FAM_6 : FAM_4;
			field(t, "balance");
			table_cell(t, "%s: tier %u, weight %u, share %s, in use: %s", balance->conf->name,
				   member->use->tier, member->use->weight,
				   share_text(member->share[fam], text), use_text(balance, member));
		}
}

static void put_rules(struct table *t, const struct model *model, enum rule_target target, size_t index)
{
	for (size_t i = 0; i < model->n_rules; i++) {
		const struct model_rule *rule = &model->rules[i];
		bool here = rule->target == target &&
			    (target == RULE_BALANCE ? rule->balance : rule->gateway) == index;
		if (!here)
			continue;
		field(t, "rule");
		table_cell(t, "%s%s%s", rule->name, rule->own ? ", the router's own traffic" : "",
			   rule->strict ? ", strict: refused rather than sent elsewhere" : "");
	}
}

static const char *date_text(const struct status *status, int64_t then_ms, char text[VALUE_TEXT])
{
	time_t then = (time_t)status_wall_s(status, then_ms);
	struct tm tm;
	gmtime_r(&then, &tm);
	strftime(text, VALUE_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return text;
}

static void put_gateway_kernel(struct table *t, const struct status_gateway *gw, uint32_t mask)
{
	char flows[VALUE_TEXT], begun[VALUE_TEXT];
	field(t, "flows");
	table_cell(t, "%s now, %s begun since the rules were first loaded",
		   count_text(gw->measured.flows, flows), count_text(gw->measured.begun, begun));
	field(t, "kernel");
	if (gw->id)
		table_cell(t, "mark 0x%08x/0x%08x, routing table %u", gw->mark, mask, gw->table);
	else
		table_cell(t, "nothing yet");
}

static void put_gateway(const struct status *status, const struct status_gateway *gw, struct buf *out)
{
	struct table t = {0};
	char age[VALUE_TEXT], date[VALUE_TEXT], snat4[2 * ADDR_TEXT], snat6[2 * ADDR_TEXT];
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	field(&t, "gateway");
	table_cell(&t, "%s", gw->conf->name);
	field(&t, "state");
	table_cell(&t, "%s for %s, since %s", state_name(gw->state),
		   age_text(status->now_ms - gw->measured.since_ms, age),
		   date_text(status, gw->measured.since_ms, date));
	field(&t, "reason");
	table_cell(&t, "%s", gw->reason);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		put_family(&t, gw, fam);
	put_interface(&t, gw);
	field(&t, "snat");
	table_cell(&t, "%s; IPv6: %s", snat_text(&gw->conf->snat[FAM_4], snat4),
		   snat_text(&gw->conf->snat[FAM_6], snat6));
	field(&t, "weight");
	table_cell(&t, "%u", gw->conf->weight);
	put_gateway_kernel(&t, gw, status->model->globals.mark_mask);
	put_probes(&t, status->model, gw->conf);
	put_users(&t, status, gw->conf->name);
	put_rules(&t, status->model, RULE_GATEWAY, (size_t)(gw - status->gateways.v));
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

static void put_balance(const struct status *status, const struct status_balance *balance, struct buf *out)
{
	const struct model_balance *conf = balance->conf;
	size_t index = (size_t)(balance - status->balances.v);
	struct table t = {0};
	put_balances(status, conf->name, out);
	buf_puts(out, "\n");
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	if (conf->persistence_ms) {
		field(&t, "pinned by");
		table_cell(&t, "%s, masks /%u and, IPv6, /%u",
			   conf->persist_by == PERSIST_SOURCE ? "source" : "source and destination",
			   conf->persist_mask[FAM_4], conf->persist_mask[FAM_6]);
	}
	put_rules(&t, status->model, RULE_BALANCE, index);
	if (index == status->model->default_balance) {
		field(&t, "rule");
		table_cell(&t, "none: it takes what no rule names");
	}
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

void status_text(const struct status *status, const char *name, struct buf *out)
{
	put_warning(status, out);
	if (!name) {
		put_gateways(status, out);
		buf_puts(out, "\n");
		put_balances(status, NULL, out);
		return;
	}
	vec_each(&status->gateways, gw)
		if (!strcmp(name, gw->conf->name))
			put_gateway(status, gw, out);
	vec_each(&status->balances, balance)
		if (!strcmp(name, balance->conf->name))
			put_balance(status, balance, out);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status_text.h"

#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/facts.h"
#include "gwd/figure.h"
#include "gwd/status.h"
#include "gwd/table.h"

static const char *const family_name[FAM_COUNT] = {"IPv4", "IPv6"};

static void field(struct table *t, const char *name)
{
	table_row(t);
	table_cell(t, "%s", name);
}

static void put_family(struct table *t, const struct status_gateway *gw, enum fam fam)
{
	const struct status_family *family = &gw->family[fam];
	char addr[ADDR_TEXT], text[FIGURE_TEXT];
	struct buf line = {0};
	buf_printf(&line, "%s: %s", state_name(family->state), family->reason);
	if (!addr_is_none(&family->next_hop))
		buf_printf(&line, "; next hop %s", addr_text(&family->next_hop, addr));
	if (!addr_is_none(&family->source))
		buf_printf(&line, "; from %s", addr_text(&family->source, addr));
	if (family->latency_ms >= 0)
		buf_printf(&line, "; latency %s", figure_latency(family->latency_ms, text));
	if (family->jitter_ms >= 0)
		buf_printf(&line, "; jitter %s", figure_latency(family->jitter_ms, text));
	if (family->loss >= 0)
		buf_printf(&line, "; loss %s", figure_share(family->loss, text));
	field(t, family_name[fam]);
	table_cell(t, "%s", family->wanted ? buf_text(&line) : family->reason);
	buf_free(&line);
}

static void put_interface(struct table *t, const struct status_gateway *gw)
{
	const struct fact_iface *iface = gw->iface;
	char rx[FIGURE_TEXT], tx[FIGURE_TEXT];
	field(t, "interface");
	if (!iface) {
		table_cell(t, "%s, which does not exist", gw->conf->interface);
		return;
	}
	table_cell(t, "%s, %s", iface->name, !iface->up ? "down" : !iface->carrier ? "no carrier" : "up");
	field(t, "received");
	table_cell(t, "%s bit/s, %s bytes in all", figure_amount(gw->measured.rx_bps, rx),
		   figure_amount((double)iface->rx_bytes, tx));
	field(t, "sent");
	table_cell(t, "%s bit/s, %s bytes in all", figure_amount(gw->measured.tx_bps, rx),
		   figure_amount((double)iface->tx_bytes, tx));
}

static const char *snat_text(const struct model_snat *snat, char text[2 * ADDR_TEXT])
{
	char first[ADDR_TEXT], last[ADDR_TEXT];
	switch (snat->mode) {
	case SNAT_MASQUERADE:
		return "masquerade";
	case SNAT_NONE:
		return "none";
	case SNAT_PREFIX:
		if (!snat->prefix.len)
			return "prefix";
		return prefix_text(&snat->prefix, text);
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

static void put_snat(struct table *t, const struct model_snat snat[FAM_COUNT])
{
	char text4[2 * ADDR_TEXT], text6[2 * ADDR_TEXT];
	const char *snat4 = snat_text(&snat[FAM_4], text4), *snat6 = snat_text(&snat[FAM_6], text6);
	field(t, "snat");
	if (strcmp(snat4, snat6) != 0)
		table_cell(t, "IPv4: %s; IPv6: %s", snat4, snat6);
	else
		table_cell(t, "%s", snat4);
}

static void put_probes(struct table *t, const struct model *model, const struct model_gateway *gw)
{
	char addr[ADDR_TEXT];
	for (size_t i = 0; i < gw->n_probes; i++) {
		const struct model_probe *probe = &model->probes[gw->probes[i]];
		struct buf line = {0};
		for (size_t k = 0; k < probe->n_targets; k++)
			buf_printf(&line, " %s", addr_text(&probe->targets[k], addr));
		for (size_t k = 0; k < probe->n_target_names; k++)
			buf_printf(&line, " %s", probe->target_names[k]);
		field(t, "probe");
		table_cell(t, "%s: %s to%s, %u must answer", probe->name, probe_type_name(probe->type),
			   line.n ? buf_text(&line) : " the next hop", probe->need);
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
	char text[FIGURE_TEXT];
	vec_each(&status->balances, balance)
		vec_each(&balance->members, member) {
			if (strcmp(member->gateway, gateway) != 0)
				continue;
			enum fam fam = member->share[FAM_4] < 0 ? FAM_6 : FAM_4;
			field(t, "balance");
			table_cell(t, "%s: tier %u, weight %u, share %s, in use: %s", balance->conf->name,
				   member->use->tier, member->weight, figure_share(member->share[fam], text),
				   status_text_use(balance, member));
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

static void put_gateway_kernel(struct table *t, const struct status_gateway *gw, uint32_t mask)
{
	char flows[FIGURE_TEXT], begun[FIGURE_TEXT];
	field(t, "flows");
	table_cell(t, "%s now, %s begun since the rules were loaded or zeroed",
		   figure_count(gw->measured.flows, flows), figure_count(gw->measured.begun, begun));
	field(t, "kernel");
	if (gw->id)
		table_cell(t, "mark 0x%08x/0x%08x, routing table %u", gw->mark, mask, gw->table);
	else
		table_cell(t, "nothing yet");
}

void status_text_gateway(const struct status *status, const struct status_gateway *gw, struct buf *out)
{
	struct table t = {0};
	char age[FIGURE_TEXT], date[FIGURE_TEXT];
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	field(&t, "gateway");
	table_cell(&t, "%s", gw->conf->name);
	field(&t, "state");
	table_cell(&t, "%s for %s, since %s", state_name(gw->state),
		   figure_age(status->now_ms - gw->measured.since_ms, age),
		   figure_date(status_wall_s(status, gw->measured.since_ms), date));
	field(&t, "reason");
	table_cell(&t, "%s", gw->reason);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		put_family(&t, gw, fam);
	put_interface(&t, gw);
	put_snat(&t, gw->conf->snat);
	field(&t, "weight");
	table_cell(&t, "%u", gw->weight);
	if (*gw->manual) {
		field(&t, "by hand");
		table_cell(&t, "%s; the file says weight %u", gw->manual, gw->conf->weight);
	}
	put_gateway_kernel(&t, gw, status->model->globals.mark_mask);
	put_probes(&t, status->model, gw->conf);
	put_users(&t, status, gw->conf->name);
	put_rules(&t, status->model, RULE_GATEWAY, (size_t)(gw - status->gateways.v));
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

void status_text_balance(const struct status *status, const struct status_balance *balance, struct buf *out)
{
	const struct model_balance *conf = balance->conf;
	size_t index = (size_t)(balance - status->balances.v);
	struct table t = {0};
	status_text_balances(status, conf->name, out);
	buf_puts(out, "\n");
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	if (conf->persistence_ms) {
		field(&t, "pinned by");
		table_cell(&t, "%s, IPv4 /%u, IPv6 /%u",
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

// SPDX-License-Identifier: GPL-2.0-or-later
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/figure.h"
#include "gwd/status.h"
#include "gwd/status_service.h"
#include "gwd/status_text.h"
#include "gwd/table.h"

// ---- all services ------------------------------------------------------------------------------

static void put_place(struct buf *out, const struct addr *addr, uint16_t port)
{
	char text[ADDR_TEXT];
	if (addr_is_none(addr))
		buf_puts(out, "this host");
	else
		buf_printf(out, addr->family == AF_INET6 && port ? "[%s]" : "%s", addr_text(addr, text));
	if (port)
		buf_printf(out, ":%u", port);
}

static void put_to(struct table *t, const struct model_real *conf)
{
	struct buf to = {0};
	put_place(&to, &conf->address, conf->port);
	if (conf->forward != FORWARD_LOCAL)
		buf_printf(&to, " by %s", forward_name(conf->forward));
	table_cell(t, "%s", buf_text(&to));
	buf_free(&to);
}

static void real_row(struct table *t, const struct status *status, const struct status_real *real)
{
	char text[FIGURE_TEXT];
	enum state state = status_real_state(real);
	const char *manual = real->planned ? real->planned->manual : "";
	table_row(t);
	table_cell(t, "  %s", real->conf->name);
	table_cell(t, "%s", state_name(state));
	table_cell(t, "%s", figure_age(status->now_ms - real->since_ms, text));
	table_cell(t, "%s", "");
	table_cell(t, "%u", status_real_weight(real));
	table_cell(t, "%s", figure_count(real->flows, text));
	table_cell(t, "%s", status_real_use(real));
	put_to(t, real->conf);
	bool well = state == STATE_UP && !(real->planned && real->planned->full);
	const char *reason = well ? "" : status_real_reason(real);
	if (!strcmp(manual, reason))
		manual = "";
	if (*manual || *reason)
		table_note(t, "%s%s%s", manual, *manual && *reason ? "; " : "", reason);
}

static void service_row(struct table *t, const struct status *status, const struct status_service *service)
{
	char text[FIGURE_TEXT], reason[PLAN_SERVICE_REASON];
	table_row(t);
	table_cell(t, "%s", service->conf->name);
	table_cell(t, "%s", state_name(status_service_state(service)));
	table_cell(t, "%s", figure_age(status->now_ms - service->since_ms, text));
	table_cell(t, "%s", scheduler_name(service->conf->scheduler));
	table_cell(t, "%s", "");
	table_cell(t, "%s", figure_count(service->flows, text));
	table_cell(t, "%s", serving_name(service->serving));
	table_cell(t, "%s", service->planned ? plan_serving_reason(service->planned, reason) : "");
}

void status_text_services(const struct status *status, const char *name, struct buf *out)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "SERVICE");
	table_column(&t, TABLE_LEFT, "STATE");
	table_column(&t, TABLE_RIGHT, "SINCE");
	table_column(&t, TABLE_LEFT, "SCHEDULER");
	table_column(&t, TABLE_RIGHT, "WEIGHT");
	table_column(&t, TABLE_RIGHT, "FLOWS");
	table_column(&t, TABLE_LEFT, "IN USE");
	table_column(&t, TABLE_LEFT, "TO");
	vec_each(&status->services, service) {
		if (name && strcmp(name, service->conf->name) != 0)
			continue;
		service_row(&t, status, service);
		vec_each(&service->reals, real)
			real_row(&t, status, real);
	}
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

// ---- one service -------------------------------------------------------------------------------

static void field(struct table *t, const char *name)
{
	table_row(t);
	table_cell(t, "%s", name);
}

static void put_listens(struct table *t, const struct model_service *conf)
{
	char text[ADDR_TEXT];
	struct buf line = {0};
	for (size_t i = 0; i < conf->n_protocols; i++) {
		const struct protoent *known = getprotobynumber(conf->protocols[i]);
		buf_printf(&line, "%s%s", i ? ", " : "", known ? known->p_name : "?");
	}
	for (size_t i = 0; i < conf->n_listens; i++) {
		const struct model_listen *listen = &conf->listens[i];
		buf_printf(&line, listen->addr.family == AF_INET6 ? " [%s]:%u" : " %s:%u",
			   addr_text(&listen->addr, text), listen->first);
		if (listen->first != listen->last)
			buf_printf(&line, "-%u", listen->last);
	}
	field(t, "listens on");
	table_cell(t, "%s", buf_text(&line));
	buf_free(&line);
}

static void put_options(struct table *t, const struct status_service *service)
{
	const struct model_service *conf = service->conf;
	char text[FIGURE_TEXT], count[FIGURE_TEXT];
	if (conf->persistence_ms) {
		field(t, "persistence");
		table_cell(t, "%s, by IPv4 /%u, IPv6 /%u; %s clients are remembered",
			   figure_duration(conf->persistence_ms, text), conf->persist_mask[FAM_4],
			   conf->persist_mask[FAM_6], figure_count(service->pins, count));
	}
	if (conf->slow_start_ms) {
		field(t, "slow-start");
		table_cell(t, "%s", figure_duration(conf->slow_start_ms, text));
	}
	if (conf->limit_connections || conf->limit_rate) {
		field(t, "a source may");
		table_cell(t, "have %s connections at a time, begin %s a second",
			   conf->limit_connections ? figure_count(conf->limit_connections, text) : "any",
			   conf->limit_rate ? figure_count(conf->limit_rate, count) : "any");
	}
	field(t, "on-removal");
	table_cell(t, "%s", conf->cut ? "cut" : "keep");
}

void status_text_service(const struct status *status, const struct status_service *service, struct buf *out)
{
	struct table t = {0};
	status_text_services(status, service->conf->name, out);
	buf_puts(out, "\n");
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	put_listens(&t, service->conf);
	put_options(&t, service);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

// ---- one real ----------------------------------------------------------------------------------

static void put_health(struct table *t, const struct status *status, const struct status_real *real)
{
	char age[FIGURE_TEXT], date[FIGURE_TEXT];
	field(t, "state");
	table_cell(t, "%s for %s, since %s", state_name(status_real_state(real)),
		   figure_age(status->now_ms - real->since_ms, age),
		   figure_date(status_wall_s(status, real->since_ms), date));
	field(t, "reason");
	table_cell(t, "%s", status_real_reason(real));
	if (real->verdict && real->verdict->latency_ms >= 0) {
		field(t, "latency");
		table_cell(t, "%s", figure_latency(real->verdict->latency_ms, age));
	}
	for (size_t i = 0; i < real->conf->n_probes; i++) {
		const struct model_probe *probe = &status->model->probes[real->conf->probes[i]];
		field(t, "probe");
		table_cell(t, "%s: %s", probe->name, probe_type_name(probe->type));
	}
}

static void put_load(struct table *t, const struct status_real *real)
{
	char text[FIGURE_TEXT];
	const char *manual = real->planned ? real->planned->manual : "";
	field(t, "weight");
	table_cell(t, "%u", status_real_weight(real));
	if (*manual) {
		field(t, "by hand");
		table_cell(t, "%s; the file says weight %u", manual, real->conf->weight);
	}
	field(t, "flows");
	table_cell(t, "%s", figure_count(real->flows, text));
	if (real->conf->max_connections) {
		field(t, "limit");
		table_cell(t, "%u; once full, new ones again below %u", real->conf->max_connections,
			   real->conf->min_connections);
	}
	field(t, "in use");
	table_cell(t, "%s", status_real_use(real));
}

void status_text_real(const struct status *status, const struct status_service *service,
		      const struct status_real *real, struct buf *out)
{
	static const char *const roles[] = {
		[ROLE_REAL] = "real", [ROLE_BACKUP] = "backup", [ROLE_SORRY] = "sorry server"};
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	field(&t, roles[real->conf->role]);
	table_cell(&t, "%s of service %s", real->conf->name, service->conf->name);
	field(&t, "to");
	put_to(&t, real->conf);
	put_health(&t, status, real);
	put_load(&t, real);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

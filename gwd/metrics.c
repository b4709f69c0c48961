// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/metrics.h"

#include <stdio.h>

#include "gwd/base/buf.h"
#include "gwd/core/facts.h"
#include "gwd/status.h"

// ---- samples -----------------------------------------------------------------------------------

// The samples of one metric have to stand together, below its two lines: each is its own walk over the picture.
static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// Interfaces may be called anything: what would break the line or is not plain ASCII does not get in.
static void label(struct buf *out, const char *key, const char *value, const char *before)
{
	buf_printf(out, "%s%s=\"", before, key);
	for (const char *c = value; *c; c++)
		if (*c == '"' || *c == '\\')
			buf_printf(out, "\\%c", *c);
		else
			buf_printf(out, "%c", *c < ' ' || *c > '~' ? '?' : *c);
	buf_puts(out, "\"");
}

// Up to three labels, the first without a key ends them.
struct labels {
	const char *key[3], *value[3];
};

#define LABELS1(k, v) (&(struct labels){{k}, {v}})
#define LABELS2(k, v, l, w) (&(struct labels){{k, l}, {v, w}})
#define LABELS3(k, v, l, w, m, x) (&(struct labels){{k, l, m}, {v, w, x}})

static void sample(struct buf *out, const char *name, const struct labels *labels, double value)
{
	buf_puts(out, name);
	for (int i = 0; i < 3 && labels && labels->key[i]; i++)
		label(out, labels->key[i], labels->value[i], i ? "," : "{");
	buf_printf(out, "%s %.15g\n", labels ? "}" : "", value);
}

static void sample_known(struct buf *out, const char *name, const struct labels *labels, double value)
{
	if (value >= 0) // not so: not known
		sample(out, name, labels, value);
}

static void single(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	family(out, name, type, help);
	sample(out, name, NULL, value);
}

// ---- gateways ----------------------------------------------------------------------------------

static void gateway_states(const struct status *status, struct buf *out)
{
	family(out, "gwd_gateway_state", "gauge", "1 for the state that the gateway has.");
	vec_each(&status->gateways, gw)
		for (enum state state = STATE_UNKNOWN; state <= STATE_DISABLED; state++)
			sample(out, "gwd_gateway_state",
			       LABELS2("gateway", gw->conf->name, "state", state_name(state)),
			       gw->state == state);
	family(out, "gwd_gateway_state_since_seconds", "gauge", "When it got that state, Unix time.");
	vec_each(&status->gateways, gw)
		sample(out, "gwd_gateway_state_since_seconds", LABELS1("gateway", gw->conf->name),
		       (double)status_wall_s(status, gw->measured.since_ms));
}

// One figure of each gateway's family.
static void gateway_probed(const struct status *status, struct buf *out, const char *name, const char *help,
			   double (*figure)(const struct status_family *))
{
	static const char *const families[FAM_COUNT] = {"ipv4", "ipv6"};
	family(out, name, "gauge", help);
	vec_each(&status->gateways, gw)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			if (gw->family[fam].wanted)
				sample_known(out, name,
					     LABELS2("gateway", gw->conf->name, "family", families[fam]),
					     figure(&gw->family[fam]));
}

static double probed_latency(const struct status_family *f)
{
	return f->latency_ms / 1000;
}

static double probed_jitter(const struct status_family *f)
{
	return f->jitter_ms / 1000;
}

static double probed_loss(const struct status_family *f)
{
	return f->loss;
}

static void gateway_bytes(const struct status *status, struct buf *out, bool received)
{
	const char *name = received ? "gwd_gateway_receive_bytes_total" : "gwd_gateway_transmit_bytes_total";
	family(out, name, "counter", "Bytes that the gateway's interface has carried.");
	vec_each(&status->gateways, gw)
		if (gw->iface)
			sample(out, name, LABELS2("gateway", gw->conf->name, "interface", gw->iface->name),
			       (double)(received ? gw->iface->rx_bytes : gw->iface->tx_bytes));
}

static void gateways(const struct status *status, struct buf *out)
{
	gateway_states(status, out);
	family(out, "gwd_gateway_weight", "gauge", "The weight that counts.");
	vec_each(&status->gateways, gw)
		sample(out, "gwd_gateway_weight", LABELS1("gateway", gw->conf->name), gw->weight);
	family(out, "gwd_gateway_flows", "gauge", "Live flows.");
	vec_each(&status->gateways, gw)
		sample_known(out, "gwd_gateway_flows", LABELS1("gateway", gw->conf->name),
			     (double)gw->measured.flows);
	family(out, "gwd_gateway_new_flows_total", "counter", "New flows that were sent there.");
	vec_each(&status->gateways, gw)
		sample_known(out, "gwd_gateway_new_flows_total", LABELS1("gateway", gw->conf->name),
			     (double)gw->measured.begun);
	gateway_probed(status, out, "gwd_gateway_latency_seconds", "Mean round trip of the probes.",
		       probed_latency);
	gateway_probed(status, out, "gwd_gateway_jitter_seconds", "Mean difference between round trips.",
		       probed_jitter);
	gateway_probed(status, out, "gwd_gateway_loss_ratio", "Share of the last probes without an answer.",
		       probed_loss);
	gateway_bytes(status, out, true);
	gateway_bytes(status, out, false);
}

// ---- balances ----------------------------------------------------------------------------------

static void balance_members(const struct status *status, struct buf *out)
{
	static const char *const families[FAM_COUNT] = {"ipv4", "ipv6"};
	family(out, "gwd_balance_share_ratio", "gauge", "Share of new flows that a gateway gets.");
	vec_each(&status->balances, balance)
		vec_each(&balance->members, member)
			for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
				sample_known(out, "gwd_balance_share_ratio",
					     LABELS3("balance", balance->conf->name, "gateway",
						     member->gateway, "family", families[fam]),
					     member->share[fam]);
}

static void balances(const struct status *status, struct buf *out)
{
	balance_members(status, out);
	family(out, "gwd_balance_pins", "gauge", "Clients that are pinned to a gateway.");
	vec_each(&status->balances, balance)
		if (balance->conf->persistence_ms)
			sample_known(out, "gwd_balance_pins", LABELS1("balance", balance->conf->name),
				     (double)balance->pins);
	family(out, "gwd_balance_unpinned_flows_total", "counter",
	       "New flows whose client could not be pinned: the table was full.");
	vec_each(&status->balances, balance)
		if (balance->conf->persistence_ms)
			sample_known(out, "gwd_balance_unpinned_flows_total",
				     LABELS1("balance", balance->conf->name), (double)balance->unpinned);
}

// ---- services ----------------------------------------------------------------------------------

static void real_sample(struct buf *out, const char *name, const struct status_service *service,
			const struct status_real *real, double value)
{
	sample_known(out, name, LABELS2("service", service->conf->name, "real", real->conf->name), value);
}

static void reals(const struct status *status, struct buf *out)
{
	family(out, "gwd_real_state", "gauge", "1 for the state that the real server has.");
	vec_each(&status->services, service)
		vec_each(&service->reals, real)
			for (enum state state = STATE_UNKNOWN; state <= STATE_DISABLED; state++)
				sample(out, "gwd_real_state",
				       LABELS3("service", service->conf->name, "real", real->conf->name,
					       "state", state_name(state)),
				       status_real_state(real) == state);
	family(out, "gwd_real_weight", "gauge", "The weight that counts.");
	vec_each(&status->services, service)
		vec_each(&service->reals, real)
			real_sample(out, "gwd_real_weight", service, real, status_real_weight(real));
	family(out, "gwd_real_flows", "gauge", "Live connections.");
	vec_each(&status->services, service)
		vec_each(&service->reals, real)
			real_sample(out, "gwd_real_flows", service, real, (double)real->flows);
	family(out, "gwd_real_full", "gauge", "1 while it has max-connections and waits for room.");
	vec_each(&status->services, service)
		vec_each(&service->reals, real)
			real_sample(out, "gwd_real_full", service, real,
				    real->planned && real->planned->full);
}

static void services(const struct status *status, struct buf *out)
{
	family(out, "gwd_service_serving", "gauge", "1 for who takes new connections.");
	vec_each(&status->services, service)
		for (enum serving serving = SERVING_NOTHING; serving <= SERVING_SORRY; serving++)
			sample(out, "gwd_service_serving",
			       LABELS2("service", service->conf->name, "serving", serving_name(serving)),
			       service->serving == serving);
	family(out, "gwd_service_pins", "gauge", "Clients that are pinned to a real server.");
	vec_each(&status->services, service)
		if (service->conf->persistence_ms)
			sample_known(out, "gwd_service_pins", LABELS1("service", service->conf->name),
				     (double)service->pins);
	reals(status, out);
}

void metrics_text(const struct status *status, struct buf *out)
{
	family(out, "gwd_info", "gauge", "Always 1; says the version.");
	sample(out, "gwd_info", LABELS1("version", GWD_VERSION), 1);
	single(out, "gwd_start_time_seconds", "gauge", "When this gwd started, Unix time.",
	       (double)status_wall_s(status, status->started_ms));
	single(out, "gwd_applied_time_seconds", "gauge", "When the kernel was last changed, Unix time.",
	       (double)status_wall_s(status, status->applied_ms));
	single(out, "gwd_in_force", "gauge", "1 while the kernel has all that it should have.",
	       status->active && !status->failure);
	single(out, "gwd_fastpath", "gauge", "1 while established flows go by the flowtable.",
	       status->fastpath);
	if (status->gateways.n)
		gateways(status, out);
	if (status->balances.n)
		balances(status, out);
	if (status->services.n)
		services(status, out);
}

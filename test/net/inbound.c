// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/inbound.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"

static const uint16_t inbound_ports[] = {7, 53, 80, 443, 5060, 7000, 8080, 9000, 0};

struct inbound *inbound_lab(const struct lab_spec *spec, int n)
{
	struct inbound *in = xcalloc(1, sizeof(*in));
	in->net = net_lab(spec);
	in->n = n;
	for (int i = 0; i < n; i++)
		in->server[i] = lab_server_start(in->net->lab, lab_host(in->net->lab, i + 1), inbound_ports);
	return in;
}

__attribute__((format(printf, 2, 0))) static void inbound_configure(struct inbound *in, const char *format,
								    va_list ap)
{
	static const int weights[LAB_ISPS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1};
	char *services = NULL;
	char *gateways = net_gateways(in->net->lab, lab_isp_count(in->net->lab), weights, false);
	cr_assert_geq(vasprintf(&services, format, ap), 0);
	net_configure(in->net, "%s%s", gateways, services);
	free(gateways);
	free(services);
}

void inbound_gwd(struct inbound *in, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	inbound_configure(in, format, ap);
	va_end(ap);
	net_gwd(in->net);
	net_wait_up(in->net);
}

void inbound_reload(struct inbound *in, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	inbound_configure(in, format, ap);
	va_end(ap);
	net_reload(in->net);
}

void inbound_finish(struct inbound *in)
{
	net_finish(in->net);
	free(in);
}

static void inbound_ask_all(struct inbound *in, const char *vip, uint16_t port, int count, bool udp)
{
	struct lab_tally tally = lab_burst_run(
		in->net->lab, &(struct lab_burst_spec){
				      .flow = {.from = lab_internet(in->net->lab), .to = vip, .port = port},
				      .count = count,
				      .at_once = 1,
				      .udp = udp});
	cr_assert_eq(tally.answered, count, "%d of %d to %s port %u failed (%d refused, %d timed out)",
		     tally.failed, count, vip, port, tally.outcome[LAB_REFUSED], tally.outcome[LAB_TIMEOUT]);
}

void inbound_ask(struct inbound *in, const char *vip, uint16_t port, int count)
{
	inbound_ask_all(in, vip, port, count, false);
}

void inbound_ask_udp(struct inbound *in, const char *vip, uint16_t port, int count)
{
	inbound_ask_all(in, vip, port, count, true);
}

int inbound_served(const struct inbound *in, int real)
{
	struct lab_served now = lab_server_served(in->server[real - 1]), before = in->before[real - 1];
	return (int)(now.tcp - before.tcp + now.udp - before.udp);
}

int inbound_real_of(struct inbound *in, const struct lab_flow *flow, bool udp)
{
	int before[INBOUND_REALS_MAX];
	for (int i = 1; i <= in->n; i++)
		before[i - 1] = inbound_served(in, i);
	struct lab_conn conn = udp ? lab_ask(in->net->lab, flow) : lab_connect(in->net->lab, flow);
	for (int i = 1; conn.outcome == LAB_ANSWERED && i <= in->n; i++)
		if (inbound_served(in, i) != before[i - 1])
			return i;
	return 0;
}

void inbound_mark(struct inbound *in)
{
	for (int i = 0; i < in->n; i++)
		in->before[i] = lab_server_served(in->server[i]);
}

void inbound_expect(struct inbound *in, const int *want, int slack)
{
	for (int i = 1; i <= in->n; i++)
		cr_assert(abs(inbound_served(in, i) - want[i - 1]) <= slack, "real %d served %d, not %d", i,
			  inbound_served(in, i), want[i - 1]);
	inbound_mark(in);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/real_flows.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>

#include "gwd/core/model.h"
#include "gwd/core/tuples.h"
#include "nft/conntrack.h"

size_t real_flow_whose(const struct tuples *tuples, const struct ct_flow *flow)
{
	return tuples_find(tuples, &(struct tuple){.protocol = flow->orig.protocol,
						   .to = flow->orig.dst,
						   .to_port = flow->orig.dport,
						   .from = flow->reply.src,
						   .from_port = flow->reply.sport});
}

uint32_t real_flows_status(const struct model *model)
{
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++)
			if (addr_is_none(&model->services[i].reals[k].address))
				return 0;
	return IPS_DST_NAT;
}

struct real_flows {
	const struct tuples *tuples;
	uint64_t *counts;
	size_t n;
};

static void real_flows_count(void *arg, const struct ct_flow *flow)
{
	const struct real_flows *flows = arg;
	size_t real = conntrack_is_over(flow) ? SIZE_MAX : real_flow_whose(flows->tuples, flow);
	if (real < flows->n)
		flows->counts[real]++;
}

int real_flows_list(struct conntrack *ct, const struct model *model, const struct tuples *tuples,
		    uint64_t *counts, size_t n, struct err *err)
{
	struct real_flows flows = {tuples, counts, n};
	memset(counts, 0, n * sizeof(*counts));
	return conntrack_dump(ct, real_flows_status(model), real_flows_count, &flows, err);
}

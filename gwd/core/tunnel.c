// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/tunnel.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/hash.h"
#include "gwd/base/words.h"
#include "gwd/core/build.h"
#include "gwd/core/facts.h"
#include "gwd/core/leaving.h"
#include "gwd/core/model.h"

#define TUNNEL_PREFIX "gwd-"
#define TUNNEL_DIGITS 8
#define TUNNEL_ETHERNET 1500
#define TUNNEL_HEADER4 20 // of the packet around the packet
#define TUNNEL_HEADER6 40
#define TUNNEL_LONGEST (UINT16_MAX - TUNNEL_HEADER6)

// ---- names -----------------------------------------------------------------------------------

void tunnel_name(char out[TUNNEL_NAME_SIZE], const struct addr *remote)
{
	uint64_t hash = hash_end(hash_add(HASH_START, remote->b, addr_size(remote)));
	snprintf(out, TUNNEL_NAME_SIZE, TUNNEL_PREFIX "%08x", (uint32_t)hash);
}

bool tunnel_is_ours(const char *ifname)
{
	size_t n = strlen(TUNNEL_PREFIX);
	if (strncmp(ifname, TUNNEL_PREFIX, n) != 0 || strlen(ifname) != n + TUNNEL_DIGITS)
		return false;
	for (const char *digit = ifname + n; *digit; digit++)
		if (!isxdigit((unsigned char)*digit) || isupper((unsigned char)*digit))
			return false;
	return true;
}

int tunnel_compare(const struct plan_tunnel *a, const struct plan_tunnel *b)
{
	return strcmp(a->ifname, b->ifname);
}

bool tunnel_equal(const struct plan_tunnel *a, const struct plan_tunnel *b)
{
	return addr_equal(&a->remote, &b->remote) && addr_equal(&a->local, &b->local);
}

static int tunnel_order(const void *a, const void *b)
{
	return tunnel_compare(a, b);
}

static void tunnel_sort(struct plan *plan)
{
	if (plan->tunnels.n)
		qsort(plan->tunnels.v, plan->tunnels.n, sizeof(*plan->tunnels.v), tunnel_order);
}

const struct tunnel_refusal *tunnel_refused(const struct tunnel_refusals *refusals, const char *ifname)
{
	for (size_t i = 0; refusals && i < refusals->v.n; i++)
		if (!strcmp(refusals->v.v[i].ifname, ifname))
			return &refusals->v.v[i];
	return NULL;
}

// ---- what it speaks from -----------------------------------------------------------------------

static unsigned tunnel_common_bits(const struct addr *a, const struct addr *b)
{
	unsigned n = 0;
	while (n < 8 * addr_size(a) && !((a->b[n / 8] ^ b->b[n / 8]) & 0x80 >> n % 8))
		n++;
	return n;
}

static bool tunnel_is_vip(const struct model *model, const struct addr *addr)
{
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_listens; k++)
			if (addr_equal(&model->services[i].listens[k].addr, addr))
				return true;
	return false;
}

// IPIP asks the route, ip6tnl has to be told: the address that is most like the real's.
static struct addr tunnel_local(const struct build_input *input, const struct addr *remote)
{
	struct addr best = {0};
	unsigned most = 0;
	if (addr_fam(remote) == FAM_4)
		return best;
	vec_each(&input->facts->ifaces, iface)
		vec_each(&iface->addrs, own) {
			if (!iface->up || !own->usable || own->ours || addr_fam(&own->addr) != FAM_6 ||
			    tunnel_is_vip(input->model, &own->addr) || tunnel_is_ours(iface->name))
				continue;
			unsigned bits = tunnel_common_bits(&own->addr, remote) + 1;
			if (bits > most) {
				most = bits;
				best = own->addr;
			}
		}
	return best;
}

// ---- the plan ----------------------------------------------------------------------------------

uint32_t tunnel_mtu(const struct fact_iface *iface, enum fam fam)
{
	if (iface && iface->mtu) // there may be a link that takes more than a packet can be
		return iface->mtu < TUNNEL_LONGEST ? iface->mtu : TUNNEL_LONGEST;
	return TUNNEL_ETHERNET - (fam == FAM_4 ? TUNNEL_HEADER4 : TUNNEL_HEADER6);
}

static void tunnel_down(struct plan_real *real, const char *reason)
{
	real->usable = false;
	real->state = STATE_DOWN;
	word_drop(real->reason);
	real->reason = word_take(reason);
}

void tunnel_way(struct plan_real *real, const struct build_input *input)
{
	tunnel_name(real->ifname, &real->address);
	const struct fact_iface *iface = facts_iface(input->facts, real->ifname);
	const struct tunnel_refusal *refusal = tunnel_refused(input->tunnel_refusals, real->ifname);
	struct addr local = tunnel_local(input, &real->address);
	real->oif = iface && iface->up ? iface->index : 0;
	if (!real->usable)
		return;
	if (addr_fam(&real->address) == FAM_6 && addr_is_none(&local))
		tunnel_down(real, "this host has no IPv6 address that a tunnel could begin at");
	else if (!real->oif && refusal)
		tunnel_down(real, refusal->reason);
}

static void tunnel_add(struct plan *plan, const struct build_input *input, const struct addr *remote)
{
	enum fam fam = addr_fam(remote);
	struct plan_tunnel tunnel = {.remote = *remote, .local = tunnel_local(input, remote)};
	tunnel_name(tunnel.ifname, remote);
	uint32_t mtu = tunnel_mtu(facts_iface(input->facts, tunnel.ifname), fam);
	if (!plan->tunnel_mtu[fam] || mtu < plan->tunnel_mtu[fam])
		plan->tunnel_mtu[fam] = mtu;
	if (fam == FAM_6 && addr_is_none(&tunnel.local))
		return;
	vec_push(&plan->tunnels, tunnel); // maybe not the only one of that name
}

// One for each address: what is built of the same one is the same.
static void tunnel_unique(struct plan *plan)
{
	size_t kept = 0;
	vec_each(&plan->tunnels, tunnel)
		if (!kept || tunnel_compare(&plan->tunnels.v[kept - 1], tunnel))
			plan->tunnels.v[kept++] = *tunnel;
	plan->tunnels.n = kept;
}

void tunnel_build(struct plan *plan, const struct build_input *input)
{
	for (size_t i = 0; plan->netdev && i < plan->services.n; i++)
		vec_each(&plan->services.v[i].reals, real)
			if (real->forward == FORWARD_TUN)
				tunnel_add(plan, input, &real->address);
	for (size_t i = 0; input->leaving && i < input->leaving->tunnels.n; i++)
		tunnel_add(plan, input, &input->leaving->tunnels.v[i].remote);
	tunnel_sort(plan);
	tunnel_unique(plan);
}

void tunnel_in_force(struct plan *applied, const struct facts *facts)
{
	applied->tunnels.n = 0;
	vec_each(&facts->ifaces, iface) {
		struct plan_tunnel tunnel = {.local = iface->tunnel_local};
		if (!tunnel_is_ours(iface->name) || addr_is_none(&iface->tunnel_remote))
			continue;
		if (iface->up) // else it differs from any
			tunnel.remote = iface->tunnel_remote;
		memcpy(tunnel.ifname, iface->name, sizeof(tunnel.ifname));
		vec_push(&applied->tunnels, tunnel);
	}
	tunnel_sort(applied);
}

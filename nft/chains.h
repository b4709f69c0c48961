// SPDX-License-Identifier: GPL-2.0-or-later
// chains: the packet's way through table gwd. Marks: M is the mask that gwd owns, F all other bits;
// they belong to others, of the packet as of the connection, and are as they were when we are done.
//
// A packet of a known flow meets two short rules: `pre` (or `out`, for the router's own) copies the
// gateway's id from the connection to the packet, and ip rules route it. Both directions are
// marked: strict rp_filter judges replies by their mark.
//
// A new flow: pre -> `classif`, by the interface it came in (or by its name, `class`, while its index is news)
//	from a gateway -> in.ID: it belongs to that link, and so do its answers
//	from the LAN   -> lan -> is it going out at all? -> rules -> prefer4.G, or the default balance at once
//	                 the client's pin -> keep4.G.GATEWAY, or the scheduler's slot -> give4.G.GATEWAY or take.ID
//	from elsewhere -> left alone
// The router's own new flow: out -> own -> own4 -> rules -> prefer4.G of the group without pins -> …
// Then, when it leaves: post -> snat.ID of the gateway in its mark, or `leftover`.
//
// Marks are stamped by chains that OR an immediate, because nft 1.0.6 can't express
// (meta mark & F) | (ct mark & M); what chain, is an element in a map. So who is alive, who is
// chosen and where an address belongs are elements, and a failover touches no rule.
//
// An established flow's packets, where the kernel has flowtables: chain `fast`, in the forward hook, puts the
// flow there, and from then on no chain sees it (chain_fastpath.c). Inbound services get their own
// chain_*.c and prerouting priority behind `pre`; a service's scratch in the packet mark is gone
// before routing because `pre`'s first rule restores it.
#ifndef GWD_NFT_CHAINS_H
#define GWD_NFT_CHAINS_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/vec.h"
#include "gwd/core/plan.h"
#include "nft/rule.h"

struct chain;
struct rule;
struct ruleset;

// One file each.
void chains_entry(struct ruleset *ruleset,
		  const struct plan *plan); // pre, arrived, enclosed, marked, shared, …
void chains_gateway(struct ruleset *ruleset, const struct plan *plan); // in.*, take.*
void chains_lan(struct ruleset *ruleset, const struct plan *plan);     // lan, lan4.out, lan6; outward
void chains_group(struct ruleset *ruleset, const struct plan *plan);   // group*, give*
void chains_target(struct ruleset *ruleset,
		   const struct plan *plan); // prefer*, strict*, hit*, orphan, nogw, refuse
void chains_output(struct ruleset *ruleset, const struct plan *plan);   // out, own, own4, own6, stray, raw
void chains_fastpath(struct ruleset *ruleset, const struct plan *plan); // fast
void chains_service(struct ruleset *ruleset,
		    const struct plan *plan); // inbound, and of each service: service*, stuck*, pick*, and
void chains_real(struct ruleset *ruleset, const struct plan_service *service, enum fam fam,
		 uint32_t mask);                                        // held*, real*, got*, to*
void chains_synproxy(struct ruleset *ruleset, const struct plan *plan); // syn, syn.in, syn4, proxied
void chains_source(struct ruleset *ruleset, const struct plan *plan);   // source, source4.*, source6.*
void chains_nat(struct ruleset *ruleset, const struct plan *plan);      // post, snat.*, leftover
void chains_direct(struct ruleset *ruleset, const struct plan *plan);   // table netdev: ing.*, dr*
void chains_tunnel(struct ruleset *ruleset, const struct plan *plan);   // table netdev: dr.tunnel4, dr.big4
void chains_answer(struct ruleset *ruleset, const struct plan *plan);   // dr.answer, dr.back4, dr.back6

// What they make of one service is that service's alone: these parts of them can be exchanged by themselves.
void chains_of_service(struct ruleset *ruleset, const struct plan_service *service, uint32_t mask);
void chains_source_of(struct ruleset *ruleset, const struct plan_service *service);
void chains_direct_of(struct ruleset *ruleset, const struct plan_service *service);

// Reals by tun: what goes into a tunnel (IPv4, table netdev); who sent what is too big for one is told; answers that
// come this way ask for segments that fit; the packets around (table inet, output).
void chain_into_tunnel(struct chain *chain);
void chain_too_big(struct chain *chain, const struct plan *plan);
void chain_too_big_says(struct chain *chain, const struct plan *plan);
void chain_clamp(struct chain *chain, const struct plan *plan, enum fam fam);
void chain_tunnels(struct ruleset *ruleset, struct chain *chain, const struct plan *plan);

// Table netdev: a device's own chain, "ing.INDEX", and how many rules are in it.
struct chain *chain_ingress(struct ruleset *ruleset, const struct plan_elem *device);
size_t chain_ingress_rules(const struct plan_elem *device);
// What has no chain of its own, at the end of the caller's; nothing comes behind it there.
void chain_by_rules(struct ruleset *ruleset, struct chain *chain, const struct plan *plan, bool own,
		    enum fam fam);
void chain_enter_group(struct chain *chain, const struct plan *plan, size_t group, enum fam fam, bool strict);
// `marked`: the packet's mark is the gateway's already.
void chain_take(struct rule *rule, const struct plan *plan, const struct plan_gateway *gw, bool marked);

// Chooses in the caller's chain: goes on there if nobody is usable. The chains that this needs beside it, which
// go to `otherwise` then, are built once for a group, family and strictness.
void chain_choose_gateway(struct chain *chain, const struct plan_group *group, enum fam fam, bool strict);
void chains_chosen(struct ruleset *ruleset, const struct plan_group *group, enum fam fam, bool strict,
		   uint32_t mask, const char *otherwise);

// Where a flow that a rule gave to a group goes: "prefer4.G", or "strict4.G", which has no fallback.
const char *chain_target(char *out, enum fam fam, const struct plan_group *group, bool strict);

// A service's client as its pins know it; the chains of a pin that was read into that mark; and the mark put back
// from the other one.
struct rule_client chain_service_client(const struct plan_service *service, enum fam fam);
const char *chain_held(enum rule_mark scratch);
void chain_put_back(struct chain *chain, enum rule_mark scratch, uint32_t mask);

bool chain_any_synproxy(const struct plan *plan);

// Interfaces of gateways, each once; with `translated`, only of those whose flows of that family
// get another source address. They point into the plan.
struct ifnames {
	VEC(const char *) v;
};
void ifnames_wan(struct ifnames *names, const struct plan *plan);
void ifnames_translated(struct ifnames *names, const struct plan *plan, enum fam fam);
void ifnames_free(struct ifnames *names);

#endif

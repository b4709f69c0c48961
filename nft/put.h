// SPDX-License-Identifier: GPL-2.0-or-later
// put: the messages about chains that a transaction is made of, each put into the batch. For whoever changes all chains
// (apply.c) and who changes those of a service (change.c).
#ifndef GWD_NFT_PUT_H
#define GWD_NFT_PUT_H

#include <stdint.h>

#include "gwd/core/plan.h"

struct batch;
struct chain;

// A table, chain or set goes; with type NFT_MSG_DELRULE all rules of the chain, or of the table, without name_attr. `what`
// and `name` are for errors as well.
void put_delete(struct batch *batch, enum plan_table table, uint16_t type, uint16_t name_attr,
		const char *what, const char *name);

// The chain without its rules (`label` is for errors); its rules, behind those that it has.
void put_chain(struct batch *batch, const struct chain *chain, const char *label);
void put_rules(struct batch *batch, const struct chain *chain);

#endif

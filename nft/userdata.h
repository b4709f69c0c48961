// SPDX-License-Identifier: GPL-2.0-or-later
// userdata: what a set's declaration says to nft besides what the kernel needs: the byte order of
// numbers (without it `nft list` prints them swapped) and the expression behind `typeof`.
#ifndef GWD_NFT_USERDATA_H
#define GWD_NFT_USERDATA_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct nftnl_set;

enum userdata_order { USERDATA_ORDER_NONE, USERDATA_ORDER_HOST, USERDATA_ORDER_NET };

void userdata_set_order(struct nftnl_set *set, enum userdata_order key, enum userdata_order data);

// Key `typeof numgen inc mod N`, data a verdict.
void userdata_set_numgen(struct nftnl_set *set, uint32_t modulus);

// The same, data a mark.
void userdata_set_numgen_mark(struct nftnl_set *set, uint32_t modulus);

// Key `typeof @nh,128,8`.
void userdata_set_byte(struct nftnl_set *set);

// Key `typeof ip saddr . ip daddr . ip id . ip protocol`, data a mark.
void userdata_set_fragment(struct nftnl_set *set);

// Key `typeof numgen inc mod N`, data an address, with or without a port.
void userdata_set_numgen_address(struct nftnl_set *set, uint32_t modulus, enum fam fam, bool port);

#endif

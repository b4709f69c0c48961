// SPDX-License-Identifier: GPL-2.0-or-later
// foreign: base chains of other programs that may stand in gwd's way. `gwctl doctor` looks at them; nothing is changed.
#ifndef GWD_NFT_FOREIGN_H
#define GWD_NFT_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/vec.h"

struct err;
struct nft;

struct foreign_chain {
	char family[8]; // "ip", "ip6", "inet"
	char table[64], name[64];
	int32_t priority;
	bool forward;    // in the forward hook
	bool drops;      // its policy is drop
	bool translates; // a nat chain of postrouting with a rule that translates sources
};

struct foreign {
	VEC(struct foreign_chain) chains;
};

// Fills `foreign` (give it zeroed) with the chains of the forward hook, and those of postrouting that translate.
int foreign_read(struct foreign *foreign, struct nft *nft, struct err *err);
void foreign_free(struct foreign *foreign);

#endif

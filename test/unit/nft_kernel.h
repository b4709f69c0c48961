// SPDX-License-Identifier: GPL-2.0-or-later
// nft_kernel: the kernel side, against the kernel: what tests of nft_apply and nft_read share. Each test enters a
// network namespace of its own first (nft_netns.h). Where the kernel has no owned and persistent tables (before 6.9)
// the table lies open to others, and the tests expect that instead.
#ifndef GWD_TEST_UNIT_NFT_KERNEL_H
#define GWD_TEST_UNIT_NFT_KERNEL_H

#include <stdbool.h>

struct err;
struct nft;
struct plan;

extern const struct plan kernel_nothing;

bool kernel_does(const char *command); // of a shell, silently
struct nft *kernel_open(void);

// What leads from one plan to the other, of the tables alone: nft_apply()'s code.
int kernel_apply(struct nft *nft, const struct plan *from, const struct plan *to, struct err *err);
void kernel_must_apply(struct nft *nft, const struct plan *from, const struct plan *to);

// What is read back differs in nothing from the plan.
void kernel_expect(struct nft *nft, const struct plan *plan);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
// lean: what the kernel gets of a rule. nft compiles a rule's text word by word: it asks for the packet's family
// before each address, and loads again what a register holds already. Every expression costs each packet
// 15 to 60 instructions, so apply.c sends rules without those that say nothing new. What stays decides the
// same about every packet, and nft 1.0.6 lists it in words that it takes again (an address without its
// family as @nh,96,32), though not always in the words of `gwd -n`.
//
// Left out are a match on the family in a rule that only gets packets of that one (`only`), where addresses
// are put into a map or hashed (nft would not take back what looks them up); and the load of a mark into the
// register that it was just copied from.
#ifndef GWD_NFT_LEAN_H
#define GWD_NFT_LEAN_H

struct rule;

void lean_rule(struct rule *rule);

#endif

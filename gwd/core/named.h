// SPDX-License-Identifier: GPL-2.0-or-later
// named: the addresses that names of DNS stand for now, as data: probes/name_watch.c finds them out, the builder
// puts them into the sets of the rules that go by name.
#ifndef GWD_CORE_NAMED_H
#define GWD_CORE_NAMED_H

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"

struct named {
	char *name;
	VEC(struct addr) addrs; // of both families, each once; last known while nobody answers
	char why[160];          // the last lookups brought nothing, in words; "": all is well
};

struct named_list {
	VEC(struct named) v;
};

const struct named *named_find(const struct named_list *list, const char *name); // NULL: never heard of
void named_free(struct named_list *list);

#endif

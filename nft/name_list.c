// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/name_list.h"

#include <string.h>

void nft_names_add(struct nft_names *names, enum plan_table table, const char *name)
{
	struct nft_name *entry;
	if (strlen(name) >= sizeof(entry->name))
		return;
	vec_add(&names->v, entry);
	entry->table = table;
	strcpy(entry->name, name);
}

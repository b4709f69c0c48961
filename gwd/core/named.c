// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/named.h"

#include <stdlib.h>
#include <strings.h>

const struct named *named_find(const struct named_list *list, const char *name)
{
	vec_each(&list->v, named)
		if (!strcasecmp(named->name, name))
			return named;
	return NULL;
}

void named_free(struct named_list *list)
{
	vec_each(&list->v, named) {
		free(named->name);
		vec_free(&named->addrs);
	}
	vec_free(&list->v);
}

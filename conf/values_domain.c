// SPDX-License-Identifier: GPL-2.0-or-later
// Names of DNS.
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "conf/values.h"
#include "gwd/base/err.h"

#define NAME_LENGTH 253
#define LABEL_LENGTH 63

static bool is_label(const char *label, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return n > 0 && n <= LABEL_LENGTH;
}

int value_domain(const char *text, const char **out, struct err *err)
{
	const char *rest = text;
	bool good = *text && strlen(text) <= NAME_LENGTH;
	while (good && *rest) {
		size_t n = strcspn(rest, ".");
		good = is_label(rest, n);
		rest += n + (rest[n] == '.');
	}
	if (!good)
		return err_set(err, EINVAL, "not a name of DNS, such as www.example.net");
	*out = text;
	return 0;
}

bool value_is_domain(const char *text)
{
	const char *label = strrchr(text, '.');
	label = label && label[1] ? label + 1 : text;
	return isalpha((unsigned char)*label) && !strpbrk(text, ":/");
}

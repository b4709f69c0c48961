// SPDX-License-Identifier: GPL-2.0-or-later
// Rates and shares.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/values.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"

static const struct {
	const char *name;
	uint64_t bps;
} rate_units[] = {{"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}};

#define RATE_MAX_BPS 1000000000000u // 1000gbit

// Digits up to `*unit`; false if there are none, a 0 leads them, or they are too many.
static bool read_count(const char *text, uint64_t *count, const char **unit)
{
	size_t n = strspn(text, "0123456789");
	*unit = text + n;
	if (!n || n > 12 || (n > 1 && *text == '0'))
		return false;
	*count = strtoull(text, NULL, 10);
	return true;
}

int value_rate(const char *text, uint64_t *out_bps, struct err *err)
{
	uint64_t count;
	const char *unit;
	bool number = read_count(text, &count, &unit);
	if (number && !*unit)
		return err_set(err, EINVAL, "a rate needs its unit: write %skbit, %smbit or %sgbit", text,
			       text, text);
	for (size_t i = 0; number && i < ARRAY_SIZE(rate_units); i++) {
		if (strcmp(unit, rate_units[i].name) != 0)
			continue;
		if (!count || count > RATE_MAX_BPS / rate_units[i].bps)
			return err_set(err, EINVAL, "out of range: use 1kbit to 1000gbit");
		*out_bps = count * rate_units[i].bps;
		return 0;
	}
	return err_set(err, EINVAL,
		       "not a rate: write a whole number and its unit, such as 512kbit, 100mbit or 1gbit");
}

int value_percent(const char *text, unsigned *out, struct err *err)
{
	uint64_t count;
	const char *unit;
	bool number = read_count(text, &count, &unit);
	if (number && !*unit)
		return err_set(err, EINVAL, "a share is written in percent: write %s%%", text);
	if (!number || strcmp(unit, "%") != 0)
		return err_set(err, EINVAL, "not a share: write a whole number and %%, such as 80%%");
	if (count < 1 || count > 100)
		return err_set(err, EINVAL, "out of range: use 1%% to 100%%");
	*out = (unsigned)count;
	return 0;
}

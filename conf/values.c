// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/nearest.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"

// ---- numbers ---------------------------------------------------------------------------------

// Reads digits up to `*end`; false if there are none or a 0 leads them. More than 64 bits are as many.
static bool read_digits(const char *text, uint64_t *out, const char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return false;
	if (!hex && digits[0] == '0' && isdigit((unsigned char)digits[1]))
		return false;
	char *stop;
	*out = strtoull(digits, &stop, hex ? 16 : 10);
	*end = stop;
	return true;
}

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

int value_number(const char *text, uint32_t min, uint32_t max, uint32_t *out, struct err *err)
{
	uint64_t value;
	const char *end;
	if (text[0] == '0' && text[1] && all_digits(text))
		return err_set(err, EINVAL, "a number does not begin with 0: write %s",
			       text + strspn(text, "0") - !strpbrk(text, "123456789"));
	bool number = read_digits(text, &value, &end) && !*end;
	if (number && value >= min && value <= max) {
		*out = (uint32_t)value;
		return 0;
	}
	bool numeric = number || all_digits(text[0] == '-' ? text + 1 : text);
	return err_set(err, EINVAL, "%s: use %u to %u", numeric ? "out of range" : "not a number", min, max);
}

static const struct {
	const char *name;
	uint32_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

const char *duration_text(uint32_t ms, char text[DURATION_TEXT])
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (ms && ms % units[i].ms == 0) {
			snprintf(text, DURATION_TEXT, "%u%s", ms / units[i].ms, units[i].name);
			return text;
		}
	return strcpy(text, "0s");
}

static bool read_duration(const char *text, uint64_t *ms)
{
	uint64_t count;
	const char *unit;
	if (strncasecmp(text, "0x", 2) == 0 || !read_digits(text, &count, &unit))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(unit, units[i].name) == 0) {
			*ms = (count > UINT32_MAX ? UINT32_MAX : count) * units[i].ms;
			return true;
		}
	return false;
}

int value_duration(const char *text, uint32_t min_ms, uint32_t max_ms, uint32_t *out_ms, struct err *err)
{
	uint64_t ms;
	char min[DURATION_TEXT], max[DURATION_TEXT];
	if (all_digits(text))
		return err_set(err, EINVAL, "a duration needs its unit: write %ss or %sms", text, text);
	if (!read_duration(text, &ms))
		return err_set(
			err, EINVAL,
			"not a duration: write a whole number and its unit, such as 500ms, 5s, 10m or 1h");
	if (ms < min_ms || ms > max_ms)
		return err_set(err, EINVAL, "out of range: use %s to %s", duration_text(min_ms, min),
			       duration_text(max_ms, max));
	*out_ms = (uint32_t)ms;
	return 0;
}

int value_persistence(const char *text, void *out_ms, struct err *err)
{
	unsigned *ms = out_ms;
	if (strcmp(text, "off") == 0) {
		*ms = 0;
		return 0;
	}
	if (value_duration(text, 1000, 30 * 24 * units[0].ms, ms, err) == 0)
		return 0;
	return err_set(err, EINVAL, "use off, or a duration from 1s to 720h");
}

// ---- words -----------------------------------------------------------------------------------

static bool find_choice(const char *text, const char *const *names, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0) {
			*out = i;
			return true;
		}
	return false;
}

int value_choice(const char *text, const char *const *names, size_t n, size_t *out, struct err *err)
{
	if (find_choice(text, names, n, out))
		return 0;
	struct buf list = {0};
	const char *meant = nearest(text, names, n);
	nearest_list(&list, names, n);
	if (meant)
		err_set(err, EINVAL, "no such value: did you mean %s? There is %s", meant, buf_text(&list));
	else
		err_set(err, EINVAL, "no such value: there is %s", buf_text(&list));
	buf_free(&list);
	return -EINVAL;
}

int value_bool(const char *text, bool *out, struct err *err)
{
	static const char *const names[] = {"no", "yes", "false", "true", "off", "on"};
	size_t i;
	if (!find_choice(text, names, ARRAY_SIZE(names), &i))
		return err_set(err, EINVAL, "neither yes nor no");
	*out = i % 2;
	return 0;
}

int value_name(const char *text, struct err *err)
{
	size_t n = strlen(text);
	bool good = isalpha((unsigned char)text[0]) != 0;
	for (const char *s = text; *s; s++)
		good &= isalnum((unsigned char)*s) || *s == '-' || *s == '_';
	if (!good)
		return err_set(err, EINVAL, "not a name: use a letter, then letters, digits, - and _");
	if (n > MODEL_NAME_MAX)
		return err_set(err, EINVAL, "a name of %zu characters: %d are the most", n, MODEL_NAME_MAX);
	return 0;
}

static int check_interface(const char *text, size_t n, struct err *err)
{
	bool good = strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
	for (size_t i = 0; i < n; i++)
		good &= isgraph((unsigned char)text[i]) && !strchr("/:*\"'", text[i]);
	if (n > MODEL_IFNAME_MAX)
		return err_set(err, EINVAL, "no interface has a name of more than %d characters",
			       MODEL_IFNAME_MAX);
	if (!good)
		return err_set(err, EINVAL, "no interface can have this name");
	return 0;
}

int value_interface(const char *text, struct err *err)
{
	if (strchr(text, '*'))
		return err_set(err, EINVAL, "one interface is needed here: * can't be used");
	if (!*text)
		return err_set(err, EINVAL, "no interface can have this name");
	return check_interface(text, strlen(text), err);
}

int value_interface_pattern(const char *text, struct err *err)
{
	const char *star = strchr(text, '*');
	if (star && star[1])
		return err_set(err, EINVAL, "a * can only stand at the end");
	if (!*text)
		return err_set(err, EINVAL, "no interface can have this name");
	return check_interface(text, star ? (size_t)(star - text) : strlen(text), err);
}

int value_program(const char *text, void *out, struct err *err)
{
	if (*text != '/')
		return err_set(err, EINVAL, "not the full path of a program: begin with /");
	*(const char **)out = text;
	return 0;
}

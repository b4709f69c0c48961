// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/manual.h"

#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"

static struct manual_entry *manual_entry(struct manual *manual, const char *name)
{
	vec_each(&manual->entries, entry)
		if (!strcmp(entry->name, name))
			return entry;
	return NULL;
}

const struct manual_entry *manual_find(const struct manual *manual, const char *name)
{
	if (!manual)
		return NULL;
	vec_each(&manual->entries, entry)
		if (!strcmp(entry->name, name))
			return entry;
	return NULL;
}

static bool manual_same(const struct manual_entry *a, const struct manual_entry *b)
{
	return a->disabled == b->disabled && a->drained == b->drained && a->weighted == b->weighted &&
	       (!a->weighted || a->weight == b->weight);
}

static void manual_apply(struct manual_entry *entry, enum manual_change change, unsigned weight)
{
	switch (change) {
	case MANUAL_DISABLE:
	case MANUAL_ENABLE:
		entry->disabled = change == MANUAL_DISABLE;
		return;
	case MANUAL_DRAIN:
	case MANUAL_UNDRAIN:
		entry->drained = change == MANUAL_DRAIN;
		return;
	case MANUAL_WEIGHT:
	case MANUAL_WEIGHT_FILE:
		entry->weighted = change == MANUAL_WEIGHT;
		entry->weight = entry->weighted ? weight : 0;
		return;
	}
}

static void manual_drop(struct manual *manual, struct manual_entry *entry)
{
	*entry = manual->entries.v[--manual->entries.n];
}

bool manual_set(struct manual *manual, const char *name, enum manual_change change, unsigned weight,
		const char *since)
{
	struct manual_entry *entry = manual_entry(manual, name), before;
	if (!entry) {
		vec_add(&manual->entries, entry);
		snprintf(entry->name, sizeof(entry->name), "%s", name);
	}
	before = *entry;
	manual_apply(entry, change, weight);
	bool changed = !manual_same(&before, entry);
	if (changed)
		snprintf(entry->since, sizeof(entry->since), "%s", since);
	if (!entry->disabled && !entry->drained && !entry->weighted)
		manual_drop(manual, entry);
	return changed;
}

unsigned manual_weight(const struct manual_entry *entry, unsigned weight)
{
	if (!entry)
		return weight;
	if (entry->drained)
		return 0;
	return entry->weighted ? entry->weight : weight;
}

const char *manual_text(const struct manual_entry *entry, char text[MANUAL_TEXT])
{
	char what[48] = "";
	text[0] = 0;
	if (!entry)
		return text;
	if (entry->disabled)
		snprintf(what, sizeof(what), "disabled");
	else if (entry->drained)
		snprintf(what, sizeof(what), "drained");
	else
		snprintf(what, sizeof(what), "weight %u", entry->weight);
	snprintf(text, MANUAL_TEXT, "%s by the operator since %s", what, entry->since);
	return text;
}

// ---- to keep ---------------------------------------------------------------------------------

void manual_write(const struct manual *manual, struct buf *out)
{
	vec_each(&manual->entries, entry) {
		buf_printf(out, "%s%s%s", entry->name, entry->disabled ? " disabled" : "",
			   entry->drained ? " drained" : "");
		if (entry->weighted)
			buf_printf(out, " weight=%u", entry->weight);
		buf_printf(out, " since=%s\n", entry->since);
	}
}

static bool manual_is_name(const char *name) // NAME or SERVICE/REAL
{
	const char *slash = strchr(name, '/');
	size_t first = slash ? (size_t)(slash - name) : strlen(name);
	return first && first <= MODEL_NAME_MAX &&
	       (!slash || (slash[1] && strlen(slash + 1) <= MODEL_NAME_MAX));
}

// NAME [disabled] [drained] [weight=N] since=TEXT
static bool manual_read_line(char *line, struct manual_entry *entry)
{
	char *since = strstr(line, " since="), *rest = NULL;
	if (!since)
		return false;
	*since = 0;
	snprintf(entry->since, sizeof(entry->since), "%s", since + strlen(" since="));
	char *word = strtok_r(line, " ", &rest);
	if (!word || !manual_is_name(word))
		return false;
	snprintf(entry->name, sizeof(entry->name), "%s", word);
	while ((word = strtok_r(NULL, " ", &rest))) {
		if (!strcmp(word, "disabled"))
			entry->disabled = true;
		else if (!strcmp(word, "drained"))
			entry->drained = true;
		else if (sscanf(word, "weight=%u", &entry->weight) == 1)
			entry->weighted = entry->weight <= MANUAL_WEIGHT_MAX;
		else
			return false;
	}
	return entry->disabled || entry->drained || entry->weighted;
}

size_t manual_read(struct manual *manual, const char *text)
{
	size_t skipped = 0;
	char *copy = xstrdup(text), *rest = NULL;
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct manual_entry entry = {0};
		if (manual_read_line(line, &entry) && !manual_find(manual, entry.name))
			vec_push(&manual->entries, entry);
		else
			skipped++;
	}
	free(copy);
	return skipped;
}

void manual_free(struct manual *manual)
{
	vec_free(&manual->entries);
}

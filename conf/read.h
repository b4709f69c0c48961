// SPDX-License-Identifier: GPL-2.0-or-later
// read: one option of one section into a typed variable, for load.
//
// The variable holds the default before the call and keeps it when the option is not given or its
// value is wrong; a wrong value is reported at its own line. So load reads straight on and every
// wrong value of a file is found.
#ifndef GWD_CONF_READ_H
#define GWD_CONF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/tree.h"

struct err;
struct model_ports;
struct prefix;

struct reader {
	const struct tree *tree;
	struct report *report;
	struct arena *arena; // of the model
	struct section section;
};

struct names {
	const char **v;
	size_t n;
};

// A value that is wrong: "OPTION = TEXT: " and the sentence.
void read_refuse(const struct reader *r, const char *option, const struct token *value,
		 const struct err *err);

struct read_choice {
	const char *const *names;
	size_t n;
};
#define READ_CHOICE(all) \
	&(const struct read_choice) \
	{ \
		(all), ARRAY_SIZE(all) \
	}

void read_number(const struct reader *r, const char *option, uint32_t min, uint32_t max, unsigned *out);
void read_duration(const struct reader *r, const char *option, uint32_t min_ms, uint32_t max_ms,
		   unsigned *out_ms);
void read_bool(const struct reader *r, const char *option, bool *out);
bool read_choice(const struct reader *r, const char *option, const struct read_choice *choice, size_t *out);

// The value of any other option: reads it with `parse` and returns whether it was there and right.
bool read_value(const struct reader *r, const char *option,
		int (*parse)(const char *text, void *out, struct err *err), void *out);

// A list, each element `size` bytes for `parse`; allocated in the arena. Returns the number of good values.
size_t read_list(const struct reader *r, const char *option, size_t size,
		 int (*parse)(const char *text, void *out, struct err *err), void **out);

size_t read_strings(const struct reader *r, const char *option,
		    int (*check)(const char *text, struct err *err),
		    const char ***out);                                                // none twice
size_t read_prefixes(const struct reader *r, const char *option, struct prefix **out); // none in another
size_t read_merge_prefixes(struct prefix *all, size_t n); // drops those in another
size_t read_ports(const struct reader *r, const char *option, struct model_ports **out); // none overlaps

// The thing of kind `kind` that a value (or the section's title) names, as index into `names`. An
// unknown name is reported; if one is almost the same, that is returned. False: nothing is.
bool read_reference(const struct reader *r, const char *option, const struct token *value, const char *kind,
		    const struct names *names, size_t *out);
bool read_title(const struct reader *r, const char *kind, const struct names *names, size_t *out);

#endif

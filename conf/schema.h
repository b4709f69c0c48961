// SPDX-License-Identifier: GPL-2.0-or-later
// schema: which sections and options there are, as libconfuse's option tables, and which of
// config.md's are not there yet. Tables only: what a value means is decided in load.
//
// To libconfuse every option is an integer: the number of the line on which its value stands. As
// tree.c gives it each value on another line, that number names the token, and with it the
// text and the true FILE:LINE, for each value of a list too.
#ifndef GWD_CONF_SCHEMA_H
#define GWD_CONF_SCHEMA_H

#include <confuse.h>
#include <stdbool.h>

// The top level; sections lead on through `subopts`. Ends with an entry without a name.
cfg_opt_t *schema_root(void);

const cfg_opt_t *schema_find(const cfg_opt_t *table, const char *name); // NULL: no such option

bool schema_is_section(const char *name); // of the top level

#endif

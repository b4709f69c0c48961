// SPDX-License-Identifier: GPL-2.0-or-later
// conf: the configuration file, from bytes to a complete `struct model`.
//
// The engine loads and reloads through it, `gwd -t` and `gwctl check` print its report. One call
// gives either a model in which every value is checked, every name resolved and every default
// filled in, or no model and at least one error.
//
// The file is read in five steps, each a module:
//
//	text    bytes -> tokens: comments, strings, include("FILE"); each token knows its FILE:LINE
//	syntax  tokens -> statements: braces, `=`, lists, titles
//	tree    statements -> libconfuse: option tables (schema), unknown and doubled names
//	load    libconfuse's tree -> model: values, defaults, references
//	check   what only shows when the whole model is there; warnings
//
// Each step reports what it finds and mends its result so that the next one can go on; this is how
// one run finds the errors of all steps, although libconfuse by itself stops at the first. What one
// run can't find: what a never-closed comment hides, the values of an option that stands where no
// such option belongs, and what is inside a file that can't be included.
//
// Beyond what the model's comments promise, conf guarantees: lists of prefixes hold no prefix twice
// and none inside another; ports are sorted and don't overlap; names of things are unique per kind.
#ifndef GWD_CONF_CONF_H
#define GWD_CONF_CONF_H

#include <stddef.h>

struct buf;
struct model;

// Reads the file. 0: `*out` is a model for the caller to model_free(). Otherwise `*out` is NULL and
// the return is -EINVAL (the file has errors) or the -errno of why it can't be read.
//
// `report` gets one line for each finding, in the order of files and lines:
//	FILE:LINE: SECTION NAME: what is wrong, and what would be right
//	FILE:LINE: warning: SECTION NAME: …          (warnings also come with a model)
// Relative names in include("FILE") are looked for beside the file that includes.
int conf_load(const char *path, struct model **out, struct buf *report);

// The same for a text in memory that goes by the name `name`. Needs no final 0.
int conf_load_text(const char *name, const char *text, size_t size, struct model **out, struct buf *report);

#endif

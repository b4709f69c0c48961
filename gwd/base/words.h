// SPDX-License-Identifier: GPL-2.0-or-later
// words: sentences that many have in common ("not probed", of a hundred thousand reals), kept once.
//
// Each word_take() of a text gives the same pointer and counts as one user; the last word_drop() frees it.
// One pool for the process, and one thread.
#ifndef GWD_BASE_WORDS_H
#define GWD_BASE_WORDS_H

#include <stddef.h>

const char *word_take(const char *text); // never NULL
void word_drop(const char *word);        // NULL is fine
size_t words_n(void);                    // different ones in use; "" doesn't count

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_die: what the lab does when it cannot do what it was told.
 *
 * A lab that is half built, or a fault that did not happen, would make a test lie. So nothing in the lab
 * returns "failed": it prints one sentence to stderr and aborts, which a test runner shows as a crash of that
 * test. What a tool measures (a refused connection, a lost packet, a program's exit status) is a result, not
 * a failure, and is returned.
 */
#ifndef GWD_TEST_LAB_LAB_DIE_H
#define GWD_TEST_LAB_LAB_DIE_H

/* Prints "lab: SENTENCE" and aborts. */
_Noreturn void lab_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns `result` if it is not negative; otherwise dies with "WHAT: strerror(errno)". */
int lab_must(int result, const char *what);

/* calloc that never returns NULL. */
void *lab_alloc(unsigned long count, unsigned long size);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_prompt: a shell on the router of a lab, from which the lab can be poked.
 *
 * Inside it the program `labsh` (found beside the calling program) sends one command at a time through a Unix
 * socket in the lab's directory: `labsh blackhole 1`, `labsh client -n 600`, `labsh help`. `make demo` ends
 * in one.
 */
#ifndef GWD_TEST_LAB_LAB_PROMPT_H
#define GWD_TEST_LAB_LAB_PROMPT_H

struct lab;

/*
 * Runs argv on the router, or an interactive shell if it is NULL, on the caller's terminal. Returns its exit
 * status when it has ended; traffic started from it is stopped then.
 */
int lab_prompt(struct lab *lab, const char *const argv[]);

/*
 * The other end, for the program `labsh` itself: true if it runs inside a prompt. lab_prompt_send() sends its
 * command, prints the answer and returns the exit status.
 */
int lab_prompt_inside(void);
int lab_prompt_send(int argc, char *const argv[]);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_command: the commands of the prompt. Internal; used by lab_prompt.
 */
#ifndef GWD_TEST_LAB_LAB_COMMAND_H
#define GWD_TEST_LAB_LAB_COMMAND_H

#include <stdio.h>

struct lab;
struct lab_commander;

/* Remembers what was started and what is broken. */
struct lab_commander *lab_command_open(struct lab *lab);

/* Stops what is still running. */
void lab_command_close(struct lab_commander *commander);

/* Runs one command, prints to `out`; returns its exit status: 0, or 2 if it was not understood. */
int lab_command_run(struct lab_commander *commander, int argc, char *argv[], FILE *out);

#endif

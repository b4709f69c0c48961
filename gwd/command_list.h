// SPDX-License-Identifier: GPL-2.0-or-later
// command_list: what can be asked of a running gwd, in the order of the manual.
//
// A new command is one row here and one function command_FUNCTION() in gwd/command*.c. gwd dispatches by
// this table; gwctl prints its usage from it and refuses what is not in it.
#ifndef GWD_COMMAND_LIST_H
#define GWD_COMMAND_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct request;

// function, name, arguments, how many at least and at most, has a JSON form, one line of help
#define COMMAND_LIST(X) \
	X(status, "status", "[NAME]", 0, 1, true, \
	  "gateways, balances, services: state, why and since when, flows, rates") \
	X(pins, "pins", "[NAME]", 0, 1, true, \
	  "which client keeps which gateway or real, and for how much longer") \
	X(rules, "rules", "", 0, 0, false, "everything gwd has in the kernel, as nft and ip commands") \
	X(trace, "trace", "FROM TO [PROTO [DPORT]] [from-port N] [dscp N] [mark N] [in IFACE] [no-syn]", 2, \
	  13, true, "which rule, balance, pin and gateway a new flow would meet, and why") \
	X(flows, "flows", "[FILTER...]", 0, 16, true, \
	  "live connections: client, destination, gateway or real, age, bytes") \
	X(counters, "counters", "[zero]", 0, 1, true, "what the rules have counted; zero begins anew") \
	X(drain, "drain", "NAME", 1, 1, false, "give a gateway or real (SERVICE/REAL) no new clients") \
	X(undrain, "undrain", "NAME", 1, 1, false, "end that") \
	X(disable, "disable", "NAME", 1, 1, false, \
	  "take a gateway or real out of use: its flows move at once") \
	X(enable, "enable", "NAME", 1, 1, false, "end that") \
	X(weight, "weight", "NAME N", 2, 2, false, \
	  "another weight than the file's, until `weight NAME default`") \
	X(probe, "probe", "NAME", 1, 1, true, "test a gateway or real now: what each target answers") \
	X(doctor, "doctor", "", 0, 0, true, "what on this host keeps gwd from working, and the remedy") \
	X(real_script, "real-script", "NAME [redirect] [FILE]", 1, 2, false, \
	  "the commands that a real needs to run for its service, as a shell script") \
	X(reload, "reload", "", 0, 0, false, "take the configuration file anew, as a whole or not at all") \
	X(flush, "flush", "", 0, 0, false, "take everything of gwd's out of the kernel, until a reload") \
	X(events, "events", "[-f]", 0, 1, true, "the last changes of state; -f goes on with the next ones") \
	X(version, "version", "", 0, 0, true, "the version of the running gwd")

struct command_info {
	const char *name, *args, *help;
	unsigned min_args, max_args;
	bool json;
};

extern const struct command_info command_list[]; // ends with a row without a name

const struct command_info *command_find(const char *name); // NULL: no such command

// 0 if there is such a command and it can be asked so; else -EINVAL and the sentence.
int command_check(const struct request *request, struct err *err);

#endif

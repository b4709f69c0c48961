// SPDX-License-Identifier: GPL-2.0-or-later
// net: what every net test needs around the lab: gwd running on the lab's router, a control flow on a
// link that the test leaves alone, and the end that looks after both.
//
//	Test(weights, tcp4)
//	{
//		struct net *net = net_start(&(struct lab_spec){.isps = 3}, 3, "gateway g1 { … } …");
//		… net_reload(net) …
//		net_finish(net);     // no wrong source on any WAN, the control flow lost nothing, gwd ended well
//	}
//
// Configurations are written with names of the lab: gateway gK on wanK. `net_gateways()` writes the
// usual ones. Set GWD_BUILD to test another build (the sanitizers'); GWD_LOG=1 shows gwd's log.
#ifndef GWD_TEST_NET_NET_H
#define GWD_TEST_NET_NET_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>

#include "test/lab/lab.h"
#include "test/lab/lab_transfer.h"

struct net {
	struct lab *lab;
	struct lab_proc *gwd;
	struct lab_stream *guard; // the control flow
	int guard_isp;
	const char *config; // path
};

// A lab, gwd with this configuration (printf-like; `lan { interfaces = { lan0 } }` and a fast probe named
// "quick" are put before it), every gateway up, and a control flow on ISP `guard_isp` (0: none).
struct net *net_start(const struct lab_spec *spec, int guard_isp, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// Where the programs are that are tested.
const char *net_build(void);

// The same in steps: the lab alone (the test then adds to it), and the daemon.
struct net *net_lab(const struct lab_spec *spec);

// A lab of so many ISPs and its configuration: a gateway of weight 1 on each, and `more`. gwd is not started.
struct net *net_even(int isps, const char *more);
void net_configure(struct net *net, const char *format, ...) __attribute__((format(printf, 2, 3)));
void net_gwd(struct net *net);            // starts it and waits until it is ready
void net_gwd_by_file(struct net *net);    // the same where the file says which is its socket
void net_guard(struct net *net, int isp); // starts the control flow
// The same in a test that takes longer than a control flow can: ends the one that there is, which has lost nothing, and
// starts the next. Returns when (lab_now_ms).
int64_t net_guard_on(struct net *net, int isp);
void net_wait_up(struct net *net); // waits until every gateway is up

// How long it is waited for where that changes nothing but when a failure is noticed: longer on an emulated machine, where
// packets may wait for a processor for seconds.
int net_patience(int timeout_ms);
const char *net_probe_times(void); // a probe's interval, fast and timeout: it, too, waits longer there

// Ends the test: asserts, stops, frees.
void net_finish(struct net *net);

// "gateway gK { interface = wanK address = … address6 = … weight = W probes = { quick } slow-start = 0s }" for K = 1..n, weights
// from the list; the text is the caller's to free. auto_address: no addresses (for .routes = true).
char *net_gateways(struct lab *lab, int n, const int *weights, bool auto_address);

// Runs gwctl with these arguments (printf-like); returns its exit status, and its output if `output` is
// not NULL (to be freed).
int net_gwctl(struct net *net, char **output, const char *format, ...) __attribute__((format(printf, 3, 4)));

void net_reload(struct net *net);                        // asserts that the file is taken
bool net_doctor_says(struct net *net, const char *text); // somewhere in `gwctl -j doctor`

// State of a gateway by `gwctl -j status`: "up", "down", …; "" if there is none. Text until the next call.
const char *net_state(struct net *net, const char *gateway);
void net_wait_state(struct net *net, const char *gateway, const char *state, int timeout_ms);

// How many changes of state `gwctl events` knows of, at most the last 500.
size_t net_transitions(struct net *net);

// Opens so many TCP flows from host1's clients, which stay open; asserts that all of them still answer. The test
// frees it with lab_burst_free().
struct lab_burst *net_hold(struct net *net, int count);
void net_assert_alive(struct lab_burst *held, int count);

// Asserts that a tally is spread by these weights to within `slack` flows each.
void net_assert_spread(const struct lab_tally *tally, const int *weights, int n, int slack);

// Output of a command on the router contains the text.
bool net_router_shows(struct net *net, const char *command, const char *text);

#endif

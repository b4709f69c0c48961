// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab: a network of network namespaces inside one process, for tests and for trying things out.
 *
 * It needs root, `ip` and `nft`, and no gwd. Nothing of it has a name in the system: no /run/netns, no
 * interface on the host; it is gone with the process, whichever way that ends. All traffic stays inside. A
 * test in short:
 *
 *     struct lab *lab = lab_create(&(struct lab_spec){.isps = 3, .routes = true});
 *     const char *conf = lab_file(lab, "gwd.conf",
 *                                 "lan { interfaces = { lan0 } }\n"
 *                                 "gateway a { interface = wan1 weight = 3 }\n"
 *                                 "gateway b { interface = wan2 address = %s }\n",
 *                                 lab_wan_nexthop(lab, 2, AF_INET));
 *     const char *argv[] = {"build/gwd", "-c", conf, "-s", lab_path(lab, "control.sock"), NULL};
 *     struct lab_proc *gwd = lab_proc_start(lab, lab_router(lab), argv);
 *     cr_assert(lab_proc_wait_output(gwd, "some line of its log", 5000));
 *
 *     struct lab_stream_spec spec = {.flow = {.from = lab_host(lab, 1), .to = "198.51.100.1"}};
 *     struct lab_stream *call = lab_stream_start_on(lab, &spec, 1);
 *     int64_t dead = lab_fault_blackhole(lab, 1);
 *     cr_assert(lab_stream_wait_isp(call, 2, 3000));
 *     struct lab_stream_report report = lab_stream_stop(call);
 *     cr_assert_lt(report.gap_began_ms + report.gap_ms - dead, 1500);
 *     cr_assert(lab_wrong_sources(lab) == 0, "%s", lab_wrong_first(lab));
 *     lab_destroy(lab);
 *
 * Where to look:
 *     lab_net.h       the network: spec, places, addresses, which ISP a source belongs to
 *     lab_proc.h      commands and daemons in a place; files
 *     lab_fault.h     what breaks on a link, and its repair
 *     lab_watch.h     the watchdog for wrong sources; counters of what arrives at each ISP
 *     lab_burst.h     many short TCP or UDP flows: spread, outcome, time; held flows
 *     lab_stream.h    one steady numbered stream: loss, gap, who carried it; ping; control flows
 *     lab_transfer.h  long TCP connections: how and when they end
 *     lab_flood.h     a flood of SYNs from addresses that nobody has
 *     lab_server.h    servers that tell who they see, elsewhere than on the internet (inbound tests)
 *     lab_wait.h      the clock, and waiting for a condition
 *
 * Rules: a lab that cannot do what it is told prints a sentence and aborts (lab_die.h), so there are no
 * errors to check; results are values. Handles are freed by their stop or free function, or by lab_destroy().
 * Instants are monotonic milliseconds. Faults and creation are for one thread at a time, the test's main
 * thread; everything that measures runs in threads of its own, inside the right namespace.
 */
#ifndef GWD_TEST_LAB_LAB_H
#define GWD_TEST_LAB_LAB_H

#include "test/lab/lab_burst.h"
#include "test/lab/lab_die.h"
#include "test/lab/lab_fault.h"
#include "test/lab/lab_flood.h"
#include "test/lab/lab_flow.h"
#include "test/lab/lab_net.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_proc.h"
#include "test/lab/lab_server.h"
#include "test/lab/lab_stream.h"
#include "test/lab/lab_transfer.h"
#include "test/lab/lab_wait.h"
#include "test/lab/lab_watch.h"

#include <netinet/in.h>

#endif

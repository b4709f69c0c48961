// SPDX-License-Identifier: GPL-2.0-or-later
// A reading that broke in the middle leaves nothing behind that would wake the loop for ever.
#include "gwd/netmon_read.h"

#include <criterion/criterion.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/facts.h"

static const struct netmon_request requests[] = {{RTM_GETLINK, AF_UNSPEC, netmon_parse_link, 0}};

static bool is_readable(const struct netmon_reader *reader)
{
	struct pollfd fd = {.fd = netmon_reader_fd(reader), .events = POLLIN};
	return poll(&fd, 1, 0) == 1;
}

// Three messages that come from no kernel stand before the answer's rest.
static void break_it(struct netmon_reader *reader, struct err *err)
{
	int pair[2], fd = netmon_reader_fd(reader), kernel = dup(fd);
	cr_assert_eq(netmon_reader_step(reader, 0, err), 0, "it's only asked");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(send(pair[1], "x", 1, 0), 1);
	cr_assert_eq(dup2(pair[0], fd), fd);
	cr_expect_lt(netmon_reader_step(reader, 8, err), 0);
	cr_expect(!netmon_reader_busy(reader));
	cr_expect(is_readable(reader));
	cr_expect(!netmon_reader_discard(reader, 1), "one of two");
	cr_assert_eq(dup2(kernel, fd), fd);
	close(kernel);
	close(pair[0]);
	close(pair[1]);
}

Test(netmon_read, what_is_left_of_a_broken_reading_is_taken_away)
{
	struct err err = {""};
	struct facts facts;
	struct netmon_reader *reader = netmon_reader_open(requests, ARRAY_SIZE(requests), &err);
	cr_assert(reader, "%s", err.text);
	netmon_reader_start(reader);
	break_it(reader, &err);
	cr_expect(is_readable(reader), "the kernel's own answer");
	cr_expect(netmon_reader_discard(reader, 8));
	cr_expect(!is_readable(reader), "it would wake the loop for ever");
	cr_assert_eq(netmon_reader_run(reader, &err), 0, "%s", err.text);
	netmon_reader_take(reader, &facts);
	cr_expect_gt(facts.ifaces.n, 0);
	facts_free(&facts);
	cr_expect(!is_readable(reader));
	netmon_reader_close(reader);
}

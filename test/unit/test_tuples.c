// SPDX-License-Identifier: GPL-2.0-or-later
// A connection's real by conntrack's tuple: ports, ranges, listeners on this host.
#include "gwd/core/tuples.h"

#include <criterion/criterion.h>
#include <netinet/in.h>

#include "test/unit/fixture.h"

#define NOBODY SIZE_MAX

static size_t find(const struct tuples *tuples, const char *to, uint16_t to_port, const char *from,
		   uint16_t from_port)
{
	struct tuple tuple = {.protocol = IPPROTO_TCP, .to_port = to_port, .from_port = from_port};
	cr_assert(addr_parse(to, &tuple.to) && addr_parse(from, &tuple.from));
	return tuples_find(tuples, &tuple);
}

Test(tuples, a_real_by_listener_and_answer)
{
	struct fixture *f = fixture_new(1);
	struct model_service *web = fixture_service(f, "web"), *pop = fixture_service(f, "pop");
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_listen(web, "198.51.100.10", 443, 443);
	fixture_real(web, ROLE_REAL, "r1", "10.1.1.1", 8080, 1);
	fixture_real(web, ROLE_REAL, "r2", "10.1.1.2", 0, 1); // the port is kept
	fixture_listen(pop, "198.51.100.10", 110, 110);
	fixture_listen(pop, "2001:db8::10", 110, 110);
	fixture_real(pop, ROLE_REAL, "r1", "10.1.1.1", 0, 1);
	fixture_real(pop, ROLE_SORRY, "sorry", "fd00::1", 0, 1);
	struct tuples *tuples = tuples_new(&f->model);
	cr_expect_eq(find(tuples, "198.51.100.10", 80, "10.1.1.1", 8080), 0);
	cr_expect_eq(find(tuples, "198.51.100.10", 443, "10.1.1.1", 8080), 0);
	cr_expect_eq(find(tuples, "198.51.100.10", 443, "10.1.1.2", 443), 1);
	cr_expect_eq(find(tuples, "198.51.100.10", 110, "10.1.1.1", 110), 2);
	cr_expect_eq(find(tuples, "2001:db8::10", 110, "fd00::1", 110), 3);
	cr_expect_eq(find(tuples, "198.51.100.10", 443, "10.1.1.2", 80), NOBODY);
	cr_expect_eq(find(tuples, "198.51.100.11", 80, "10.1.1.1", 8080), NOBODY);
	cr_expect_eq(find(tuples, "198.51.100.10", 80, "10.1.1.3", 8080), NOBODY);
	struct tuple udp = {.protocol = IPPROTO_UDP, .to_port = 80, .from_port = 8080};
	cr_assert(addr_parse("198.51.100.10", &udp.to) && addr_parse("10.1.1.1", &udp.from));
	cr_expect_eq(tuples_find(tuples, &udp), NOBODY);
	tuples_free(tuples);
	fixture_free(f);
}

Test(tuples, ranges_and_listeners_on_this_host)
{
	struct fixture *f = fixture_new(1);
	struct model_service *ftp = fixture_service(f, "ftp"), *web = fixture_service(f, "web");
	fixture_listen(ftp, "198.51.100.10", 1000, 2000);
	fixture_real(ftp, ROLE_REAL, "kept", "10.1.1.1", 0, 1);
	fixture_real(ftp, ROLE_REAL, "one", "10.1.1.2", 21, 1);
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "redirected", NULL, 8080, 1);
	fixture_real(web, ROLE_SORRY, "here", NULL, 0, 1);
	struct tuples *tuples = tuples_new(&f->model);
	cr_expect_eq(find(tuples, "198.51.100.10", 1234, "10.1.1.1", 1234), 0);
	cr_expect_eq(find(tuples, "198.51.100.10", 1234, "10.1.1.1", 1235), NOBODY);
	cr_expect_eq(find(tuples, "198.51.100.10", 1234, "10.1.1.2", 21), 1);
	cr_expect_eq(find(tuples, "198.51.100.10", 80, "10.0.0.1", 8080), 2);
	cr_expect_eq(find(tuples, "198.51.100.10", 80, "198.51.100.10", 80), 3);
	tuples_free(tuples);
	fixture_free(f);
}

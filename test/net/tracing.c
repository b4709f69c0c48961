// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/tracing.h"

#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/client.h"
#include "gwd/request.h"
#include "test/net/net.h"
#include "test/net/packet.h"

static uint64_t seed;

void tracing_seed(uint64_t standard)
{
	const char *given = getenv("SEED");
	seed = given ? strtoull(given, NULL, 0) : standard;
}

unsigned tracing_any(unsigned n) // xorshift64*
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)(seed * 2685821657736338717u >> 33) % n;
}

const char *tracing_pick(const char *const *list)
{
	unsigned n = 0;
	while (list[n])
		n++;
	return list[tracing_any(n)];
}

struct addr tracing_address(const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

json_t *tracing_ask(struct net *net, const struct packet *p, uint32_t mark, const char *iif)
{
	char from[ADDR_TEXT], to[ADDR_TEXT], number[5][12];
	const char *const words[] = {addr_text(&p->from, from),
				     addr_text(&p->to, to),
				     number[0],
				     number[1],
				     "from-port",
				     number[2],
				     "dscp",
				     number[3],
				     "mark",
				     number[4],
				     iif ? "in" : NULL,
				     iif,
				     p->middle ? "no-syn" : NULL};
	struct request request = {.command = "trace", .json = true};
	struct buf body = {0};
	struct err err = {""};
	int exit = 0;
	const unsigned values[] = {p->protocol, p->dport, p->sport, p->dscp, mark};
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		snprintf(number[i], sizeof(number[i]), "%u", values[i]);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i])
			request.args[request.n_args++] = words[i];
	int rc = client_ask(lab_path(net->lab, "gwd.sock"), &request, &exit, &body, NULL, &err);
	cr_assert(rc == 0 && exit == 0, "%s %s", err.text, buf_text(&body));
	json_t *root = json_loads(buf_text(&body), 0, NULL);
	cr_assert_not_null(root);
	buf_free(&body);
	return root;
}

const char *tracing_word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/trace_ask.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "conf/values.h"
#include "gwd/base/err.h"

#define ASK_PORT_MAX 65535

static int ask_addresses(struct trace_flow *flow, const char *const *words, struct err *err)
{
	struct addr *const addrs[] = {&flow->from, &flow->to};
	for (size_t i = 0; i < 2; i++)
		if (!addr_parse(words[i], addrs[i]))
			return err_set(err, EINVAL, "\"%.64s\" is not an IPv4 or IPv6 address", words[i]);
	if (flow->from.family != flow->to.family)
		return err_set(err, EINVAL, "FROM and TO are of different families");
	return 0;
}

static int ask_port(const char *word, uint16_t *port, bool *has, struct err *err)
{
	uint32_t number = 0;
	int rc = value_number(word, 1, ASK_PORT_MAX, &number, err);
	*port = (uint16_t)number;
	*has = rc == 0;
	return rc;
}

static int ask_mark(const char *word, uint32_t *mark, struct err *err)
{
	return value_number(word, 0, UINT32_MAX, mark, err);
}

static int ask_interface(const char *word, char iif[16], struct err *err)
{
	int rc = value_interface(word, err);
	if (rc == 0)
		snprintf(iif, 16, "%s", word);
	return rc;
}

// A word and its value. -ENOENT: no such word.
static int ask_option(struct trace_question *q, const char *word, const char *value, struct err *err)
{
	if (!strcmp(word, "from-port"))
		return ask_port(value, &q->flow.sport, &q->flow.has_sport, err);
	if (!strcmp(word, "dscp"))
		return value_dscp(value, &q->flow.dscp, err);
	if (!strcmp(word, "mark"))
		return ask_mark(value, &q->flow.mark, err);
	if (!strcmp(word, "in"))
		return ask_interface(value, q->iif, err);
	return -ENOENT;
}

static int ask_options(struct trace_question *q, const char *const *words, size_t n, struct err *err)
{
	struct err why = {""};
	for (size_t i = 0; i < n; i += 2) {
		if (!strcmp(words[i], "no-syn")) {
			q->flow.middle = true;
			i--;
			continue;
		}
		int rc = ask_option(q, words[i], i + 1 < n ? words[i + 1] : "", &why);
		if (rc == -ENOENT)
			return err_set(err, EINVAL,
				       "\"%.64s\" is none of from-port, dscp, mark, in and no-syn", words[i]);
		if (rc < 0)
			return err_set(err, EINVAL, "%s \"%.64s\": %.300s", words[i],
				       i + 1 < n ? words[i + 1] : "", why.text);
	}
	return 0;
}

static int ask_check(const struct trace_flow *flow, struct err *err)
{
	bool ports = flow->has_protocol && protocol_has_ports(flow->protocol);
	if ((flow->has_dport || flow->has_sport) && !ports)
		return err_set(err, EINVAL, "a port needs a protocol that has ports, such as tcp or udp");
	if (flow->middle && !(flow->has_protocol && flow->protocol == IPPROTO_TCP))
		return err_set(err, EINVAL, "no-syn is about tcp");
	return 0;
}

int trace_ask(struct trace_question *q, const char *const *words, size_t n, struct err *err)
{
	struct err why;
	size_t at = 2;
	*q = (struct trace_question){0};
	int rc = ask_addresses(&q->flow, words, err);
	if (rc < 0)
		return rc;
	if (at < n && value_protocol(words[at], &q->flow.protocol, &why) == 0) {
		q->flow.has_protocol = true;
		if (++at < n && *words[at] >= '0' && *words[at] <= '9') {
			rc = ask_port(words[at], &q->flow.dport, &q->flow.has_dport, &why);
			if (rc < 0)
				return err_set(err, EINVAL, "port \"%.64s\": %.300s", words[at], why.text);
			at++;
		}
	}
	rc = ask_options(q, words + at, n - at, err);
	return rc < 0 ? rc : ask_check(&q->flow, err);
}

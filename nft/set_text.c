// SPDX-License-Identifier: GPL-2.0-or-later
// Sets and maps in nft's language.
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/buf.h"
#include "nft/flowtable.h"
#include "nft/ranges.h"
#include "nft/set.h"

static const char *set_type_name(enum plan_type type)
{
	switch (type) {
	case PLAN_T_NONE:
	case PLAN_T_INDEX: // typeof
	case PLAN_T_FRAGMENT:
	case PLAN_T_BYTE:
		break;
	case PLAN_T_MARK:
		return "mark";
	case PLAN_T_IPV4:
		return "ipv4_addr";
	case PLAN_T_IPV6:
		return "ipv6_addr";
	case PLAN_T_IFNAME:
		return "ifname";
	case PLAN_T_ETHER:
		return "ether_addr";
	case PLAN_T_PROTO:
		return "inet_proto";
	case PLAN_T_PORT:
		return "inet_service";
	case PLAN_T_IFINDEX:
		return "iface_index";
	case PLAN_T_VERDICT:
		return "verdict";
	}
	return "";
}

static uint32_t set_number(const uint8_t *field)
{
	uint32_t number;
	memcpy(&number, field, sizeof(number));
	return number;
}

static void set_field_text(enum plan_type type, const uint8_t *field, struct buf *out)
{
	char text[ADDR_TEXT];
	struct addr addr = {0};
	switch (type) {
	case PLAN_T_NONE:
	case PLAN_T_VERDICT:
		return;
	case PLAN_T_MARK:
		buf_printf(out, "0x%08x", set_number(field));
		return;
	case PLAN_T_INDEX:
	case PLAN_T_IFINDEX:
		buf_printf(out, "%u", set_number(field));
		return;
	case PLAN_T_IPV4:
	case PLAN_T_IPV6:
		addr = addr_from(type == PLAN_T_IPV4 ? AF_INET : AF_INET6, field);
		buf_puts(out, addr_text(&addr, text));
		return;
	case PLAN_T_IFNAME:
		buf_printf(out, "\"%.16s\"", (const char *)field);
		return;
	case PLAN_T_ETHER:
		for (unsigned i = 0; i < 6; i++)
			buf_printf(out, "%s%02x", i ? ":" : "", field[i]);
		return;
	case PLAN_T_PROTO:
	case PLAN_T_BYTE:
		buf_printf(out, "%u", field[0]);
		return;
	case PLAN_T_PORT:
	case PLAN_T_FRAGMENT:
		buf_printf(out, "%u", (unsigned)field[0] << 8 | field[1]);
		return;
	}
}

static void set_key_text(const struct plan_set *set, const struct plan_elem *elem, struct buf *out)
{
	unsigned at = 0;
	if (set->interval) {
		struct range range;
		memcpy(range.first, elem->key, sizeof(range.first));
		memcpy(range.last, elem->last, sizeof(range.last));
		range_text(&range, plan_set_key_size(set), out);
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(set->key) && set->key[i] != PLAN_T_NONE; i++) {
		buf_puts(out, i ? " . " : "");
		set_field_text(set->key[i], elem->key + at, out);
		at += (plan_type_size(set->key[i]) + 3) / 4 * 4;
	}
}

static void set_address_text(const struct plan_set *set, const struct plan_elem *elem, struct buf *out)
{
	buf_puts(out, " : ");
	set_field_text(set->data, elem->last, out);
	if (set->data_port)
		buf_printf(out, " . %u", elem->mark);
}

void set_elem_text(const struct plan_set *set, const struct plan_elem *elem, struct buf *out)
{
	set_key_text(set, elem, out);
	if (set->data == PLAN_T_VERDICT)
		buf_printf(out, " : %s %s", set->jump ? "jump" : "goto", elem->chain);
	else if (set->data == PLAN_T_MARK)
		buf_printf(out, " : 0x%08x", elem->mark);
	else if (set->data == PLAN_T_IFINDEX)
		buf_printf(out, " : %u", elem->mark);
	else if (set->data != PLAN_T_NONE)
		set_address_text(set, elem, out);
}

// Beside `typeof` an address is told by an expression that has its type.
static const char *set_data_name(const struct plan_set *set)
{
	if (set->key[0] == PLAN_T_INDEX && set->data == PLAN_T_MARK)
		return "meta mark";
	if (set->key[0] != PLAN_T_INDEX || (set->data != PLAN_T_IPV4 && set->data != PLAN_T_IPV6))
		return set_type_name(set->data);
	if (set->data == PLAN_T_IPV4)
		return set->data_port ? "ip daddr . th dport" : "ip daddr";
	return set->data_port ? "ip6 daddr . th dport" : "ip6 daddr";
}

static void set_type_text(const struct plan_set *set, struct buf *out)
{
	if (set->key[2] == PLAN_T_FRAGMENT) {
		buf_puts(out, "\t\ttypeof ip saddr . ip daddr . ip id . ip protocol : meta mark\n");
		return;
	}
	if (set->key[0] == PLAN_T_BYTE)
		buf_puts(out, "\t\ttypeof @nh,128,8");
	else if (set->key[0] == PLAN_T_INDEX)
		buf_printf(out, "\t\ttypeof numgen inc mod %u", set->modulus);
	else
		buf_printf(out, "\t\ttype %s", set_type_name(set->key[0]));
	for (unsigned i = 1; i < ARRAY_SIZE(set->key) && set->key[i] != PLAN_T_NONE; i++)
		buf_printf(out, " . %s", set_type_name(set->key[i]));
	if (set->data != PLAN_T_NONE)
		buf_printf(out, " : %s", set_data_name(set));
	buf_puts(out, "\n");
}

void set_text(const struct plan_set *set, struct buf *out)
{
	if (set->flowtable) {
		flowtable_text(set, out);
		return;
	}
	buf_printf(out, "\t%s %s {\n", set->data == PLAN_T_NONE ? "set" : "map", set->name);
	set_type_text(set, out);
	if (set->size)
		buf_printf(out, "\t\tsize %u\n", set->size);
	if (set->dynamic || set->interval)
		buf_printf(out, "\t\tflags %s\n",
			   !set->dynamic   ? "interval"
			   : set->timeless ? "dynamic"
					   : "dynamic,timeout");
	if (set->sweep_ms)
		buf_printf(out, "\t\tgc-interval %ums\n", set->sweep_ms);
	if (set->elems.n && !set->dynamic) {
		buf_puts(out, "\t\telements = {");
		for (size_t i = 0; i < set->elems.n; i++) {
			buf_puts(out, i ? ",\n\t\t\t" : "\n\t\t\t");
			set_elem_text(set, &set->elems.v[i], out);
		}
		buf_puts(out, "\n\t\t}\n");
	}
	buf_puts(out, "\t}\n");
}

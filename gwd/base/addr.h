// SPDX-License-Identifier: GPL-2.0-or-later
// addr: IPv4 and IPv6 addresses and prefixes in one type, and the two families as array indices.
#ifndef GWD_BASE_ADDR_H
#define GWD_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

enum fam { FAM_4, FAM_6, FAM_COUNT }; // index of arrays that hold one thing per family

struct addr {
	uint8_t family; // AF_INET, AF_INET6, or AF_UNSPEC (0): no address
	uint8_t b[16];  // network order; the first 4 for IPv4
};

struct prefix {
	struct addr addr; // host bits are zero
	uint8_t len;      // 0..32, 0..128
};

#define ADDR_TEXT 46   // room for an address as text
#define PREFIX_TEXT 50 // room for a prefix as text

int fam_af(enum fam fam);                 // AF_INET or AF_INET6
enum fam addr_fam(const struct addr *a);  // asserts that there is an address
unsigned addr_size(const struct addr *a); // 4, 16; 0 for none

bool addr_parse(const char *text, struct addr *out); // numeric only, no zone, no port
bool prefix_parse(const char *text,
		  struct prefix *out); // "10.0.0.0/8" or an address; false if host bits are set
const char *addr_text(const struct addr *a, char text[ADDR_TEXT]); // returns `text`; "-" for none
const char *prefix_text(const struct prefix *p, char text[PREFIX_TEXT]);

struct addr addr_from(int af, const void *bytes); // from network-order bytes
bool addr_equal(const struct addr *a, const struct addr *b);
int addr_compare(const struct addr *a, const struct addr *b); // by family, then numerically
bool addr_is_none(const struct addr *a);
bool addr_is_link_local(const struct addr *a); // 169.254/16, fe80::/10
bool prefix_contains(const struct prefix *p, const struct addr *a);
void addr_mask(struct addr *a, unsigned len);    // zero the host bits
struct addr prefix_last(const struct prefix *p); // highest address of it
// The value beside it, of `size` bytes in network order. False: there is none, it has gone round.
bool addr_bytes_next(uint8_t *value, unsigned size);
bool addr_bytes_before(uint8_t *value, unsigned size);
void addr_netmask(enum fam fam, unsigned len, uint8_t out[16]); // len ones, then zeros

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
// values: what one value of the configuration means. Pure: text in, typed value out.
//
// Each returns 0, or -EINVAL with a sentence that says what would be right; load puts place, section
// and option before it. `out` is written only on success.
#ifndef GWD_CONF_VALUES_H
#define GWD_CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/model.h"

struct err;

// 10 or 0x0a; not 010, which some would read as 8.
int value_number(const char *text, uint32_t min, uint32_t max, uint32_t *out, struct err *err);

// 500ms, 5s, 10m, 1h: the unit can't be left out.
int value_duration(const char *text, uint32_t min_ms, uint32_t max_ms, uint32_t *out_ms, struct err *err);

int value_persistence(const char *text, void *out_ms, struct err *err); // off (0), or a duration

int value_rate(const char *text, uint64_t *out_bps, struct err *err); // 512kbit, 100mbit, 1gbit
int value_percent(const char *text, unsigned *out, struct err *err);  // 1% to 100%

// One of `names`; `out` is its index.
int value_choice(const char *text, const char *const *names, size_t n, size_t *out, struct err *err);

int value_bool(const char *text, bool *out, struct err *err); // yes no true false on off

// The full path of a program; `out` is a const char **.
int value_program(const char *text, void *out, struct err *err);

int value_name(const char *text, struct err *err); // of a gateway, probe, balance or rule

int value_interface(const char *text, struct err *err);
int value_interface_pattern(const char *text, struct err *err); // may end with a `*`

int value_address(const char *text, struct addr *out, struct err *err);
int value_host(const char *text, struct addr *out, struct err *err); // that one machine can have
int value_prefix(const char *text, struct prefix *out, struct err *err);

// www.example.net; `out` is the text itself. What is written like an address, right or wrong, is no name.
int value_domain(const char *text, const char **out, struct err *err);
bool value_is_domain(const char *text);

int value_snat(const char *text, enum fam fam, struct model_snat *out, struct err *err);

int value_ports(const char *text, struct model_ports *out, struct err *err); // 80 or 8000-8099
int value_protocol(const char *text, uint8_t *out, struct err *err);         // tcp or 6
int value_dscp(const char *text, uint8_t *out, struct err *err);             // ef or 46
int value_mark_mask(const char *text, uint32_t *out, struct err *err);       // one run of 6 or more bits
int value_mark(const char *text, uint32_t *mark, uint32_t *mask, struct err *err); // 0x10 or 0x10/0xff

// Of services (values_service.c): ADDRESS:PORT, with a range of ports or * for any; an address or a range;
// 50/s.
int value_listen(const char *text, struct model_listen *out, struct err *err); // but for its line
int value_socket(const char *text, struct addr *addr, uint16_t *port,
		 struct err *err); // one of this host's own
int value_source(const char *text, struct model_snat *out, struct err *err);
int value_per_second(const char *text, uint32_t *out, struct err *err);

// "5s", "1500ms": the shortest way to write it.
#define DURATION_TEXT 16
const char *duration_text(uint32_t ms, char text[DURATION_TEXT]);

// "tcp", or the number of a protocol without a name here; `text` must hold 8 bytes.
const char *protocol_text(uint8_t protocol, char text[8]);
bool protocol_has_ports(uint8_t protocol);

#endif

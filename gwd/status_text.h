// SPDX-License-Identifier: GPL-2.0-or-later
// status_text: the parts of status_text(): the tables of all things, and one thing in detail.
#ifndef GWD_STATUS_TEXT_H
#define GWD_STATUS_TEXT_H

struct buf;
struct status;
struct status_balance;
struct status_gateway;
struct status_member;

// All balances with their members, or the one of that name.
void status_text_balances(const struct status *status, const char *name, struct buf *out);

void status_text_gateway(const struct status *status, const struct status_gateway *gw, struct buf *out);
void status_text_balance(const struct status *status, const struct status_balance *balance, struct buf *out);

// In words, whether new flows go to this member now, as against where the balance has others that
// take them.
const char *status_text_use(const struct status_balance *balance, const struct status_member *member);

#endif

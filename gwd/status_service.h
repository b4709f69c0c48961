// SPDX-License-Identifier: GPL-2.0-or-later
// status_service: the services' part of status.h, for status*.c only.
#ifndef GWD_STATUS_SERVICE_H
#define GWD_STATUS_SERVICE_H

#include <stdbool.h>

struct buf;
struct status;
struct status_input;
struct status_real;
struct status_service;

void status_build_services(struct status *status, const struct status_input *in);

// Of a service, or of a real by SERVICE/REAL.
bool status_has_service(const struct status *status, const char *name);

// A table of all, or of the one of that name; one in detail; one real in detail.
void status_text_services(const struct status *status, const char *name, struct buf *out);
void status_text_service(const struct status *status, const struct status_service *service, struct buf *out);
void status_text_real(const struct status *status, const struct status_service *service,
		      const struct status_real *real, struct buf *out);

#endif

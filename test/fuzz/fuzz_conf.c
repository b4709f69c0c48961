// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: any bytes as configuration. Either a model comes back or a report that says why;
// every line of the report is whole and printable. Seeds: test/golden/conf and conf/gwd.conf.
//
// Bytes that would include another file are left out: what is on the disk is not the fuzzer's input.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/core/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

// "f:LINE: warning: …"; what stands further on may quote the input.
static int is_warning(const char *line)
{
	return strncmp(line + 2 + strspn(line + 2, "0123456789"), ": warning: ", 11) == 0;
}

static int has_error(const char *report)
{
	int found = 0;
	for (const char *line = report; *line; line = strchr(line, '\n') + 1) {
		size_t n = (size_t)(strchr(line, '\n') - line);
		check(n > 0 && strncmp(line, "f:", 2) == 0);
		found |= !is_warning(line);
	}
	return found;
}

static void check_model(const struct model *model)
{
	check(model->n_gateways + model->n_services > 0 && model->default_balance < model->n_balances);
	for (size_t i = 0; i < model->n_services; i++) {
		const struct model_service *service = &model->services[i];
		check(service->n_listens > 0 && service->n_protocols > 0 && service->n_reals > 0);
		for (size_t k = 0; k < service->n_reals; k++) {
			const struct model_real *real = &service->reals[k];
			check((real->forward == FORWARD_LOCAL) == addr_is_none(&real->address));
			check(real->need <= real->n_probes && (real->need > 0) == (real->n_probes > 0));
			check(real->min_connections <= real->max_connections);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf report = {0};
	struct model *model;
	if (memmem(data, size, "include", 7))
		return 0;
	int rc = conf_load_text("f", (const char *)data, size, &model, &report);
	check((rc == 0) == (model != NULL));
	check((rc == 0) == !has_error(buf_text(&report)));
	for (const char *s = buf_text(&report); *s; s++)
		check(*s == '\n' || (*s >= ' ' && *s <= '~'));
	if (model)
		check_model(model);
	model_free(model);
	buf_free(&report);
	return 0;
}

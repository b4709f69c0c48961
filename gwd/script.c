// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/script.h"

#include "gwd/base/buf.h"
#include "gwd/core/plan_text.h"
#include "nft/nft.h"

void script_text(const struct plan *plan, struct buf *out)
{
	plan_text_routes(plan, out);
	buf_puts(out, "nft -f - <<'END'\n");
	nft_text(plan, out);
	buf_puts(out, "END\n");
}

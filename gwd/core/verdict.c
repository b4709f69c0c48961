// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/verdict.h"

const char *state_name(enum state state)
{
	switch (state) {
	case STATE_UNKNOWN:
		return "unknown";
	case STATE_UP:
		return "up";
	case STATE_DEGRADED:
		return "degraded";
	case STATE_DOWN:
		return "down";
	case STATE_DRAIN:
		return "drain";
	case STATE_DISABLED:
		return "disabled";
	}
	return "unknown";
}

// SPDX-License-Identifier: GPL-2.0-or-later
// log: lines to stderr, for systemd's journal to keep. Only the shell (gwd/*.c) logs; every other
// room returns a `struct err` instead.
//
// At `info` a line is a change of state: old -> new, with the measured reason. `debug` is for
// people who look for a fault.
#ifndef GWD_BASE_LOG_H
#define GWD_BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR, // gwd can't do what it should; the sentence says what to do
	LOG_LEVEL_WARN,  // something is not as it should be, gwd goes on
	LOG_LEVEL_INFO,  // a change of state
	LOG_LEVEL_DEBUG,
};

// Everything up to `level` is printed from now on (default: LOG_LEVEL_INFO).
void log_set_level(enum log_level level);

// One line: "TOPIC: text". `topic` is the module's name: "engine", "netmon", "health", …
void log_print(enum log_level level, const char *topic, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(topic, ...) log_print(LOG_LEVEL_ERROR, topic, __VA_ARGS__)
#define log_warn(topic, ...) log_print(LOG_LEVEL_WARN, topic, __VA_ARGS__)
#define log_info(topic, ...) log_print(LOG_LEVEL_INFO, topic, __VA_ARGS__)
#define log_debug(topic, ...) log_print(LOG_LEVEL_DEBUG, topic, __VA_ARGS__)

#endif

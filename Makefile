# gwd: two commands are all the set-up.  `make demo` shows it, `make check` proves it.
# SPDX-License-Identifier: GPL-2.0-or-later
VERSION  := 0.1.0
ifeq ($(origin CC),default)
CC        = gcc
endif
B        ?= build
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wconversion -Wno-sign-conversion \
            -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror
SAN      ?=
Q         = $(if $(V),,@printf '  %s\n' $@;)
CFLAGS   ?= -O2 -g
# libcurl is loaded by the first probe that needs it (probes/curl_late.h)
PKGS     := libmnl libnftnl libnl-3.0 libnl-route-3.0 libconfuse libcares libevent jansson
# the sanitizers confuse gcc's flow analysis: warnings count in the plain build
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DGWD_VERSION='"$(VERSION)"' -I. $(WARN) $(CFLAGS) $(SAN) $(if $(SAN),$(if $(findstring clang,$(CC)),,-Wno-error)) $(PKG_CFLAGS) -MMD -MP
# asked once, and only after `deps` could install what is missing
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) libcurl))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)

PREFIX   ?= /usr
BINDIR   := $(PREFIX)/sbin
MANDIR   := $(PREFIX)/share/man
DOCDIR   := $(PREFIX)/share/doc/gwd/examples
UNITDIR  := /lib/systemd/system

# Every room is a static library; the linker takes what a program uses.
LIB_SRC  := $(wildcard gwd/base/*.c gwd/core/*.c conf/*.c probes/*.c nft/*.c) \
            $(filter-out gwd/main.c gwd/gwctl.c,$(wildcard gwd/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/obj/%.o)
LAB_SRC  := $(filter-out %_main.c,$(wildcard test/lab/*.c))
LAB_OBJ  := $(LAB_SRC:%.c=$(B)/obj/%.o)
UNIT_SRC := $(wildcard test/unit/*.c)
NET_SRC  := $(wildcard test/net/*.c)
BENCH_SRC := $(wildcard test/bench/*.c)

.PHONY: all deps demo check check-layers check-headers check-format check-unit check-net format fuzz soak long bench bench-readme install clean

all: deps
	@$(MAKE) --no-print-directory $(B)/gwd $(B)/gwctl

# ---- what a bare Debian 12 lacks ---------------------------------------------------------------
deps:
	@test/install-deps build

$(B)/libgwd.a: $(LIB_OBJ)
	@rm -f $@ && ar rcs $@ $^
$(B)/liblab.a: $(LAB_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(B)/gwd: $(B)/obj/gwd/main.o $(B)/libgwd.a
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lm
$(B)/gwctl: $(B)/obj/gwd/gwctl.o $(B)/libgwd.a
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lm
$(B)/unit: $(UNIT_SRC:%.c=$(B)/obj/%.o) $(B)/libgwd.a
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lcriterion -lm
$(B)/net: $(NET_SRC:%.c=$(B)/obj/%.o) $(B)/liblab.a $(B)/libgwd.a
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lcriterion -lpthread -lm

$(B)/bench: $(BENCH_SRC:%.c=$(B)/obj/%.o) $(B)/liblab.a $(B)/libgwd.a | $(B)/netlink-count.so $(B)/buffers
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lpthread -lm
$(B)/buffers: test/bench/cost/buffers.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(CFLAGS) -static -o $@ $<
$(B)/netlink-count.so: test/bench/preload/netlink_count.c test/bench/netlink_count.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $< -ldl

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# ---- for people ----------------------------------------------------------------------------------
demo:
	@test/install-deps demo
	@$(MAKE) --no-print-directory -s -j4 $(B)/gwd $(B)/gwctl $(B)/labsh $(B)/demo
	@$(B)/demo

check:
	@test/install-deps check
	@test/check

# NAME=packet-cost for one of them, or NAME="probing daemon" for some. Their tables are kept in $(B)/bench-*.md, and from
# there `make bench-readme` puts them into README.md.
bench:
	@test/install-deps bench
	@$(MAKE) --no-print-directory -s -j4 $(B)/gwd $(B)/gwctl $(B)/bench
	@GWD_BUILD=$(B) test/bench/run $(NAME)
bench-readme:
	@test/bench/readme $(B) README.md

# ---- parts of check ------------------------------------------------------------------------------
check-layers:
	@test/check-layers
check-headers:
	@test/check-headers
check-format:
	@clang-format --dry-run -Werror $(shell git ls-files '*.c' '*.h')
format:
	@clang-format -i $(shell git ls-files '*.c' '*.h')
check-unit: $(B)/unit
	@$(B)/unit -j2
check-net: $(B)/net $(B)/gwd $(B)/gwctl
	@GWD_BUILD=$(B) $(B)/net -j2

# Faults at random: SOAK_SECONDS of them.
soak: $(B)/net $(B)/gwd $(B)/gwctl
	@SOAK_SECONDS=$${SOAK_SECONDS:-1800} GWD_BUILD=$(B) $(B)/net -j1 --filter 'soak/*'
# What check does a tenth of: 40,000 changes under traffic, a link that is made anew 1,000 times. Some minutes.
long: $(B)/net $(B)/gwd $(B)/gwctl
	@UPDATES=40000 RECREATIONS=1000 GWD_BUILD=$(B) $(B)/net -j1 --filter '@(updates/*|dynamic/a_link_that_goes*)'

$(B)/demo: $(B)/obj/test/lab/demo_main.o $(B)/liblab.a
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lpthread -lm
$(B)/labsh: $(B)/obj/test/lab/labsh_main.o $(B)/liblab.a
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lpthread -lm

# One binary for each fuzz target: make B=build/fuzz CC=clang SAN=-fsanitize=fuzzer-no-link,address,undefined
$(B)/fuzz_%: $(B)/obj/test/fuzz/fuzz_%.o $(B)/libgwd.a
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(PKG_LIBS) -lm
fuzz: $(patsubst test/fuzz/%.c,$(B)/%,$(wildcard test/fuzz/fuzz_*.c))

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)/etc/gwd $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install -m 755 $(B)/gwd $(B)/gwctl $(DESTDIR)$(BINDIR)/
	install -m 644 conf/gwd.conf.5 $(DESTDIR)$(MANDIR)/man5/
	install -m 644 conf/gwd.8 conf/gwctl.8 $(DESTDIR)$(MANDIR)/man8/
	install -m 644 conf/gwd.service $(DESTDIR)$(UNITDIR)/
	install -d $(DESTDIR)$(DOCDIR)/two-routers
	install -m 644 $(filter-out %/gwd-switch,$(wildcard conf/examples/two-routers/*)) $(DESTDIR)$(DOCDIR)/two-routers/
	install -m 755 conf/examples/two-routers/gwd-switch $(DESTDIR)$(DOCDIR)/two-routers/
	install -m 644 conf/gwd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/gwd.conf
	[ -e $(DESTDIR)/etc/gwd/gwd.conf ] || install -m 644 conf/gwd.conf $(DESTDIR)/etc/gwd/gwd.conf

-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean:
	rm -rf build

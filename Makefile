# gwd: two commands are all the set-up.  `make demo` shows it, `make check` proves it.
# SPDX-License-Identifier: GPL-2.0-or-later
VERSION  := 0.1.0
CC       ?= gcc
B        ?= build
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wconversion -Wno-sign-conversion \
            -Wimplicit-fallthrough -Werror
SAN      ?=
CFLAGS   ?= -O2 -g
PKGS     := libmnl libnftnl libnl-3.0 libnl-route-3.0 libconfuse libcares libevent libcurl jansson
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DGWD_VERSION='"$(VERSION)"' -I. $(WARN) $(CFLAGS) $(SAN) $(PKG_CFLAGS) -MMD -MP
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))

PREFIX   ?= /usr
BINDIR   := $(PREFIX)/sbin
MANDIR   := $(PREFIX)/share/man
UNITDIR  := /lib/systemd/system

# Every room is a static library; the linker takes what a program uses.
LIB_SRC  := $(wildcard gwd/base/*.c gwd/core/*.c conf/*.c probes/*.c nft/*.c) \
            $(filter-out gwd/main.c gwd/gwctl.c,$(wildcard gwd/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o)
LAB_SRC  := $(filter-out %_main.c,$(wildcard test/lab/*.c))
LAB_OBJ  := $(LAB_SRC:%.c=$(B)/%.o)
UNIT_SRC := $(wildcard test/unit/*.c)
NET_SRC  := $(wildcard test/net/*.c)

.PHONY: all demo check check-unit check-net check-golden check-vm check-layers check-format check-headers \
        check-sanitize fuzz format install clean deps

all: deps
	@$(MAKE) --no-print-directory $(B)/gwd $(B)/gwctl

# ---- what a bare Debian 12 lacks ---------------------------------------------------------------
deps:
	@test/install-deps build

$(B)/libgwd.a: $(LIB_OBJ)
	@rm -f $@ && ar rcs $@ $^
$(B)/liblab.a: $(LAB_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(B)/gwd: $(B)/gwd/main.o $(B)/libgwd.a
	$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lm
$(B)/gwctl: $(B)/gwd/gwctl.o $(B)/libgwd.a
	$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lm
$(B)/unit: $(UNIT_SRC:%.c=$(B)/%.o) $(B)/libgwd.a
	$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lcriterion -lm
$(B)/net: $(NET_SRC:%.c=$(B)/%.o) $(B)/liblab.a $(B)/libgwd.a
	$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lcriterion -lpthread -lm

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

clean:
	rm -rf build

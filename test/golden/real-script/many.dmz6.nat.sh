#!/bin/sh
# For many/dmz6 by nat: to be run on fd07::2, as root; gone when that restarts.
set -e
# Its answers must come back through fd07::1, also those to clients in its own network.
dev=$(ip -6 -o route get fd07::1 | sed -n 's/.* dev \([^ ]*\).*/\1/p')
sysctl -qw net/ipv6/conf/all/accept_redirects=0 "net/ipv6/conf/$dev/accept_redirects=0"
ip -6 route replace default via fd07::1 dev "$dev" table 5271
ip -6 rule del priority 5271 ipproto tcp sport 80 lookup 5271 2>/dev/null || true
ip -6 rule add priority 5271 ipproto tcp sport 80 lookup 5271
ip -6 rule del priority 5271 ipproto tcp sport 443 lookup 5271 2>/dev/null || true
ip -6 rule add priority 5271 ipproto tcp sport 443 lookup 5271
ip -6 rule del priority 5271 ipproto udp sport 80 lookup 5271 2>/dev/null || true
ip -6 rule add priority 5271 ipproto udp sport 80 lookup 5271
ip -6 rule del priority 5271 ipproto udp sport 443 lookup 5271 2>/dev/null || true
ip -6 rule add priority 5271 ipproto udp sport 443 lookup 5271

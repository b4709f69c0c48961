#!/bin/sh
# For many/dmz by nat: to be run on 10.7.0.2, as root; gone when that restarts.
set -e
# Its answers must come back through 10.7.0.1, also those to clients in its own network.
dev=$(ip -o route get 10.7.0.1 | sed -n 's/.* dev \([^ ]*\).*/\1/p')
sysctl -qw net/ipv4/conf/all/accept_redirects=0 "net/ipv4/conf/$dev/accept_redirects=0"
ip route replace default via 10.7.0.1 dev "$dev" table 5271
ip rule del priority 5271 ipproto tcp sport 80 lookup 5271 2>/dev/null || true
ip rule add priority 5271 ipproto tcp sport 80 lookup 5271
ip rule del priority 5271 ipproto tcp sport 1000-2000 lookup 5271 2>/dev/null || true
ip rule add priority 5271 ipproto tcp sport 1000-2000 lookup 5271
ip rule del priority 5271 ipproto tcp lookup 5271 2>/dev/null || true
ip rule add priority 5271 ipproto tcp lookup 5271
ip rule del priority 5271 ipproto udp sport 80 lookup 5271 2>/dev/null || true
ip rule add priority 5271 ipproto udp sport 80 lookup 5271
ip rule del priority 5271 ipproto udp sport 1000-2000 lookup 5271 2>/dev/null || true
ip rule add priority 5271 ipproto udp sport 1000-2000 lookup 5271
ip rule del priority 5271 ipproto udp lookup 5271 2>/dev/null || true
ip rule add priority 5271 ipproto udp lookup 5271

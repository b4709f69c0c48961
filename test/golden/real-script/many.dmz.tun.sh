#!/bin/sh
# For many/dmz by tun: to be run on 10.7.0.2, as root; gone when that restarts.
set -e
# Packets come in a tunnel; the answers go straight to the clients.
ip link show gwdtun4 >/dev/null 2>&1 || ip link add gwdtun4 type ipip local 10.7.0.2
sysctl -qw net/ipv4/conf/gwdtun4/rp_filter=2
ip link set gwdtun4 up
# It has the service's addresses, and tells nobody.
sysctl -qw net/ipv4/conf/all/arp_ignore=1 net/ipv4/conf/all/arp_announce=2
ip address replace 198.51.100.11/32 dev lo
ip address replace 198.51.100.12/32 dev lo
ip address replace 198.51.100.13/32 dev lo

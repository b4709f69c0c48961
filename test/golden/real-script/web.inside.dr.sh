#!/bin/sh
# For web/inside by dr: to be run on 10.0.0.2, as root; gone when that restarts.
set -e
# It has the service's addresses, and tells nobody.
sysctl -qw net/ipv4/conf/all/arp_ignore=1 net/ipv4/conf/all/arp_announce=2
ip address replace 198.51.100.10/32 dev lo

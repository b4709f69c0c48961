#!/bin/sh
# For many/dmz by dr: to be run on 10.7.0.2, as root; gone when that restarts.
set -e
# It has the service's addresses, and tells nobody.
sysctl -qw net/ipv4/conf/all/arp_ignore=1 net/ipv4/conf/all/arp_announce=2
ip address replace 198.51.100.11/32 dev lo
ip address replace 198.51.100.12/32 dev lo
ip address replace 198.51.100.13/32 dev lo

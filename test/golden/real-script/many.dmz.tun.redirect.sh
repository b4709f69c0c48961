#!/bin/sh
# For many/dmz by tun: to be run on 10.7.0.2, as root; gone when that restarts.
set -e
# Packets come in a tunnel; the answers go straight to the clients.
ip link show gwdtun4 >/dev/null 2>&1 || ip link add gwdtun4 type ipip local 10.7.0.2
sysctl -qw net/ipv4/conf/gwdtun4/rp_filter=2
ip link set gwdtun4 up
# It takes what is for the service's addresses without having them.
nft -f - <<'END'
table ip gwd.many
delete table ip gwd.many
table ip gwd.many {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 198.51.100.11 meta l4proto { tcp, udp } th dport 80 redirect
		ip daddr 198.51.100.12 meta l4proto { tcp, udp } th dport 80 redirect
		ip daddr 198.51.100.11 meta l4proto { tcp, udp } th dport 1000-2000 redirect
		ip daddr 198.51.100.13 meta l4proto { tcp, udp } redirect
	}
}
END

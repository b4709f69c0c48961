#!/bin/sh
# For web/inside by tun: to be run on 10.0.0.2, as root; gone when that restarts.
set -e
# Packets come in a tunnel; the answers go straight to the clients.
ip link show gwdtun4 >/dev/null 2>&1 || ip link add gwdtun4 type ipip local 10.0.0.2
ip address replace 10.0.0.2/32 dev gwdtun4 scope host
sysctl -qw net/ipv4/conf/gwdtun4/rp_filter=2
ip link set gwdtun4 up
# It asks its clients for segments that fit into the tunnel.
nft -f - <<'END'
table ip gwd.mss.web
delete table ip gwd.mss.web
table ip gwd.mss.web {
	chain post {
		type filter hook postrouting priority srcnat + 10; policy accept;
		ip saddr 198.51.100.10 tcp flags & (syn | rst) == syn tcp option maxseg size set 1440
	}
}
END
# It takes what is for the service's addresses without having them.
nft -f - <<'END'
table ip gwd.web
delete table ip gwd.web
table ip gwd.web {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 198.51.100.10 tcp dport 80 dnat to 10.0.0.2
	}
}
END

#!/bin/sh
# For many/dmz6 by tun: to be run on fd07::2, as root; gone when that restarts.
set -e
# Packets come in a tunnel; the answers go straight to the clients.
ip link show gwdtun6 >/dev/null 2>&1 || ip link add gwdtun6 type ip6tnl mode any local fd07::2
ip link set gwdtun6 up
# It asks its clients for segments that fit into the tunnel.
nft -f - <<'END'
table ip6 gwd.mss.many
delete table ip6 gwd.mss.many
table ip6 gwd.mss.many {
	chain post {
		type filter hook postrouting priority srcnat + 10; policy accept;
		ip6 saddr 2001:db8:ff::11 tcp flags & (syn | rst) == syn tcp option maxseg size set 1400
	}
}
END
# It takes what is for the service's addresses without having them.
nft -f - <<'END'
table ip6 gwd.many
delete table ip6 gwd.many
table ip6 gwd.many {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip6 daddr 2001:db8:ff::11 meta l4proto { tcp, udp } th dport 80 dnat to fd07::2
		ip6 daddr 2001:db8:ff::11 meta l4proto { tcp, udp } th dport 443 dnat to fd07::2
	}
}
END

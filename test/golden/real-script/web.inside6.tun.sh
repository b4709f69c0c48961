#!/bin/sh
# For web/inside6 by tun: to be run on fd00::2, as root; gone when that restarts.
set -e
# Packets come in a tunnel; the answers go straight to the clients.
ip link show gwdtun6 >/dev/null 2>&1 || ip link add gwdtun6 type ip6tnl mode any local fd00::2
ip link set gwdtun6 up
# It asks its clients for segments that fit into the tunnel.
nft -f - <<'END'
table ip6 gwd.mss.web
delete table ip6 gwd.mss.web
table ip6 gwd.mss.web {
	chain post {
		type filter hook postrouting priority srcnat + 10; policy accept;
		ip6 saddr 2001:db8:ff::10 tcp flags & (syn | rst) == syn tcp option maxseg size set 1400
	}
}
END
# It has the service's addresses, and tells nobody.
ip -6 address replace 2001:db8:ff::10/128 dev lo preferred_lft 0

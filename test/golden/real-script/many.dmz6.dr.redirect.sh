#!/bin/sh
# For many/dmz6 by dr: to be run on fd07::2, as root; gone when that restarts.
set -e
# It takes what is for the service's addresses without having them.
nft -f - <<'END'
table ip6 gwd.many
delete table ip6 gwd.many
table ip6 gwd.many {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip6 daddr 2001:db8:ff::11 meta l4proto { tcp, udp } th dport 80 redirect
		ip6 daddr 2001:db8:ff::11 meta l4proto { tcp, udp } th dport 443 redirect
	}
}
END

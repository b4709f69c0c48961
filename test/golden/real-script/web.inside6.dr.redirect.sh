#!/bin/sh
# For web/inside6 by dr: to be run on fd00::2, as root; gone when that restarts.
set -e
# It takes what is for the service's addresses without having them.
nft -f - <<'END'
table ip6 gwd.web
delete table ip6 gwd.web
table ip6 gwd.web {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip6 daddr 2001:db8:ff::10 tcp dport 80 redirect
	}
}
END

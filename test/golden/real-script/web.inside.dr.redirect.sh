#!/bin/sh
# For web/inside by dr: to be run on 10.0.0.2, as root; gone when that restarts.
set -e
# It takes what is for the service's addresses without having them.
nft -f - <<'END'
table ip gwd.web
delete table ip gwd.web
table ip gwd.web {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 198.51.100.10 tcp dport 80 redirect
	}
}
END

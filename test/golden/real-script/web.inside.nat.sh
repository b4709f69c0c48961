#!/bin/sh
# For web/inside by nat: to be run on 10.0.0.2, as root; gone when that restarts.
set -e
# Its answers must come back through 10.0.0.1.
ip route replace default via 10.0.0.1

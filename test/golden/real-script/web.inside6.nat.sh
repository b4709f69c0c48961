#!/bin/sh
# For web/inside6 by nat: to be run on fd00::2, as root; gone when that restarts.
set -e
# Its answers must come back through fd00::1.
ip -6 route replace default via fd00::1

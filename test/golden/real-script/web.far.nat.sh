#!/bin/sh
# For web/far by nat: to be run on 192.168.9.2, as root; gone when that restarts.
set -e
# This host is in no network with it: there is nothing to set on the real itself, but the
# routers between must lead its answers back through this host. If they can't: forward = fullnat.

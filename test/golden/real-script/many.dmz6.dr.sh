#!/bin/sh
# For many/dmz6 by dr: to be run on fd07::2, as root; gone when that restarts.
set -e
# It has the service's addresses, and tells nobody.
ip -6 address replace 2001:db8:ff::11/128 dev lo preferred_lft 0

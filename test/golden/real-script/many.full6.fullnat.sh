#!/bin/sh
# For many/full6 by fullnat: to be run on fd00::3, as root; gone when that restarts.
set -e
# Nothing to do: it is spoken to from fd00::9, and answers there.

#!/bin/sh
# For web/here by local: to be run on this host, as root; gone when that restarts.
set -e
# Nothing to do: it is a program here.

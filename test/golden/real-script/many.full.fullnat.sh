#!/bin/sh
# For many/full by fullnat: to be run on 10.0.0.3, as root; gone when that restarts.
set -e
# Nothing to do: it is spoken to from 10.0.0.101 to 10.0.0.108, and answers there.

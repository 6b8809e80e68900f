#!/bin/sh
# Runs a command with NOFILE set to the process's limit of descriptors: Keywire compares it with
# MAX_CONNECTIONS, and Deno may not read it without all permissions. It is the hard limit, to which
# Deno raises its own.
NOFILE=$(ulimit -Hn)
case $NOFILE in
  *[!0-9]*) unset NOFILE ;; # unlimited
  *) export NOFILE ;;
esac
exec "$@"

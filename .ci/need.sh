#!/bin/sh
# need.sh COMMAND PACKAGE...: makes sure that COMMAND is there, installing
# Debian's PACKAGEs where it is not.
set -eu
command=$1
shift
# Servers are in folders that not everybody's PATH has.
for folder in /usr/sbin /usr/lib/postgresql/*/bin; do
  PATH=$PATH:$folder
done
if command -v "$command" >/dev/null; then
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "$command is needed and was not found: please install it" >&2
  exit 1
fi
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
echo "installing $* for $command" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends "$@"; } >&2; then
  echo "$command is needed and could not be installed: please install $*" >&2
  exit 1
fi

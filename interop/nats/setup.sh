#!/bin/sh
# Builds the NATS server 2.15.3, which `sealwire-load compare` takes as a peer (docs/operations/load.md), from its Go module: go.mod names
# the version, go.sum the content of it and of all that it needs. Prints the program's path; does nothing when it is there already.
#
#   ./setup.sh            as above
#   ./setup.sh --path     print the path and do nothing: the program may not be there
#
# Environment: NATS_CACHE (default ~/.cache/sealwire/nats). Needs: Go. No root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${NATS_CACHE:-${HOME:-/root}/.cache/sealwire/nats}

log() { echo "nats: $*" >&2; }
fail() { log "$*"; exit 1; }

# Named by what it was made of, so that another version never takes its place.
program=$cache/nats-server-$(cat "$here/setup.sh" "$here/go.mod" "$here/go.sum" | sha256sum | cut -c 1-16)
if [ "${1:-}" = --path ] || [ -x "$program" ]; then
	echo "$program"
	exit 0
fi

command -v go > /dev/null || fail "needs Go, 1.26 or newer"
mkdir -p "$cache"
log "building the server"
# Under another name until it is whole: two may build at once.
(cd "$here" && CGO_ENABLED=0 go build -trimpath -o "$program.$$" github.com/nats-io/nats-server/v2) >&2 || fail "the server cannot be built"
mv "$program.$$" "$program"
echo "$program"

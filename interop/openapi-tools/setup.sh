#!/bin/sh
# Gets the linter and the fuzzer of OpenAPI documents that the tests use, in a cache folder, without installing anything on this
# machine: Redocly CLI (npm) and Schemathesis (Python, with all that it needs as requirements.txt pins it). Prints the folder, which
# has `redocly` and `schemathesis`; does nothing when it is there already.
#
#   ./setup.sh            as above
#   ./setup.sh --path     print the folder and do nothing: it may not be there
#
# Environment: OPENAPI_TOOLS_CACHE (default ~/.cache/sealwire/openapi-tools). Needs: node, npm, python3 (3.10 or newer) with venv.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${OPENAPI_TOOLS_CACHE:-${HOME:-/root}/.cache/sealwire/openapi-tools}
redocly=2.77.0

log() { echo "openapi-tools: $*" >&2; }
fail() { log "$*"; exit 1; }

# Named by what it was made of, so that another version never takes its place.
folder=$cache/$(cat "$here/setup.sh" "$here/requirements.txt" | sha256sum | cut -c 1-16)
if [ "${1:-}" = --path ] || [ -e "$folder/.complete" ]; then
	echo "$folder"
	exit 0
fi

for tool in npm python3; do
	command -v "$tool" > /dev/null || fail "needs $tool"
done
rm -rf "$folder"
mkdir -p "$folder"
log "fetching Redocly CLI $redocly"
npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent "@redocly/cli@$redocly" || fail "npm has no @redocly/cli $redocly"
ln -s "node_modules/.bin/redocly" "$folder/redocly"
log "fetching Schemathesis"
# Made where it stays: a venv knows its own path.
python3 -m venv "$folder/venv" || fail "python3 has no venv"
"$folder/venv/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$here/requirements.txt" || fail "pip cannot install requirements.txt"
ln -s "venv/bin/schemathesis" "$folder/schemathesis"
: > "$folder/.complete"
log "ready"
echo "$folder"

#!/bin/sh
# Gets liblime 5.3.105 and what it needs as binary packages, unpacks them in a cache folder without installing anything on
# this machine, and builds lime_peer against them. Prints the program's path; does nothing when it is there already.
#
#   ./setup.sh            as above
#   ./setup.sh --path     print the path and do nothing: the program may not be there
#   ./setup.sh --clean    forget the cache first
#
# Environment: LIME_PEER_CACHE (default ~/.cache/sealwire/lime-peer), CXX.
# Needs: apt-get, dpkg-deb, a C++17 compiler, the archive's keyring. No root. Where packages come from is this machine's
# own apt configuration: the first of its archives that has the release below.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${LIME_PEER_CACHE:-${HOME:-/root}/.cache/sealwire/lime-peer}
cxx=${CXX:-g++}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

suite=trixie
lime=5.3.105
root=$cache/liblime-$lime-$suite
# With everything these pull in at run time ...
runtime="liblime1=$lime* libsoci-sqlite3-4.0 libcurl4t64"
# ... and headers only, without their dependencies (this machine's own C library headers are used).
headers="liblime-dev=$lime* libbctoolbox-dev libcurl4-openssl-dev libsqlite3-dev nlohmann-json3-dev"

log() { echo "lime-peer: $*" >&2; }
fail() { log "$*"; exit 1; }

# Named by what it was made of: two clones, or an old and a new one, never take each other's program.
program=$cache/lime_peer-$(cat "$here/lime_peer.cpp" "$here/setup.sh" "$here/../debian-packages.sh" | sha256sum | cut -c 1-16)
case ${1:-} in
--path) echo "$program"; exit 0 ;;
--clean) rm -rf "$cache" ;;
esac
if [ -x "$program" ]; then
	echo "$program"
	exit 0
fi

for tool in apt-get dpkg dpkg-deb flock "$cxx"; do
	command -v "$tool" > /dev/null || fail "needs $tool"
done
arch=$(dpkg --print-architecture)
triplet=$("$cxx" -dumpmachine)
mkdir -p "$cache"
# One at a time: the tests of several packages may ask at once.
exec 9> "$cache/lock"
flock 9

. "$here/../debian-packages.sh"

fetch() {
	begin_fetching
	log "downloading liblime $lime"
	or_say_why private_apt install --download-only -y $runtime
	download $headers
	unpack_all
	mkdir -p "$root/include"
	for name in lime bctoolbox nlohmann sqlite3.h; do ln -sf "$root/usr/include/$name" "$root/include/$name"; done
	ln -sf "$root/usr/include/$triplet/curl" "$root/include/curl"
	end_fetching
}

if [ -x "$program" ]; then # built while we waited
	echo "$program"
	exit 0
fi
[ -e "$root/.complete" ] || fetch

libs=$root/usr/lib/$triplet
loader=$(find "$libs" -maxdepth 1 -name 'ld-*.so.*' | head -n 1)
[ -n "$loader" ] || fail "no dynamic loader in $libs"
log "building"
# The program carries the unpacked loader and library folder: it runs with its own C library whatever this machine has.
"$cxx" -std=c++17 -O1 -Wall -Wextra -isystem "$root/include" "$here/lime_peer.cpp" -o "$program.new" \
	-L"$libs" -l:liblime.so.1 -l:libbctoolbox.so.2 -l:libcurl.so.4 -l:libsqlite3.so.0 \
	-Wl,--allow-shlib-undefined -Wl,-rpath,"$libs" -Wl,--disable-new-dtags -Wl,--dynamic-linker,"$loader"
mv "$program.new" "$program"
log "ready"
echo "$program"

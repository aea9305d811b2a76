#!/bin/sh
# Gets liblinphone 5.3.105 and Kamailio with what they need as binary packages, unpacks them in a cache folder without installing
# anything on this machine, and builds linphone_peer against them. Prints the folder that holds both programs; does nothing when it
# is there already.
#
#   ./setup.sh            as above
#   ./setup.sh --path     print the folder and do nothing: it may not be there
#   ./setup.sh --clean    forget the cache first
#
# Environment: LINPHONE_CACHE (default ~/.cache/sealwire/linphone), CC.
# Needs: apt-get, dpkg-deb, a C compiler, the archive's keyring. No root. Where packages come from is this machine's own apt
# configuration: the first of its archives that has the release below.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${LINPHONE_CACHE:-${HOME:-/root}/.cache/sealwire/linphone}
cc=${CC:-gcc}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

suite=trixie
linphone=5.3.105
root=$cache/linphone-$linphone-$suite
# With everything these pull in at run time ...
runtime="liblinphone12=$linphone* linphone-common libbelr1 libbellesip3 bellesip-data kamailio"
# ... but for what only a screen, a shell or an installation needs: half of the megabytes ...
unneeded='^(libllvm|libz3-|mesa-|libgl1-mesa-dri|fonts-|fontconfig_|libpython3|python3|shared-mime-info|media-types|tzdata|netbase|gcc-14-base|debconf|libdebconf|dpkg|tar|passwd|login|base-passwd|adduser|init-system-helpers)'
# ... and headers only, without their dependencies (this machine's own C library headers are used).
headers="liblinphone-dev=$linphone* libmediastreamer-dev libortp-dev libbctoolbox-dev libbellesip-dev"

log() { echo "linphone: $*" >&2; }
fail() { log "$*"; exit 1; }

# Named by what it was made of: two clones, or an old and a new one, never take each other's program.
kit=$cache/kit-$(cat "$here"/*.c "$here/linphone_peer.h" "$here/setup.sh" "$here/../debian-packages.sh" | sha256sum | cut -c 1-16)
case ${1:-} in
--path) echo "$kit"; exit 0 ;;
--clean) rm -rf "$cache" ;;
esac
if [ -d "$kit" ]; then
	echo "$kit"
	exit 0
fi

for tool in apt-get dpkg dpkg-deb flock setpriv "$cc"; do
	command -v "$tool" > /dev/null || fail "needs $tool"
done
arch=$(dpkg --print-architecture)
triplet=$("$cc" -dumpmachine)
mkdir -p "$cache"
# One at a time: two clones may ask at once.
exec 9> "$cache/lock"
flock 9

. "$here/../debian-packages.sh"

fetch() {
	begin_fetching
	or_say_why private_apt install --print-uris -y $runtime
	needed=$(sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p" "$cache/apt/log" | grep -Ev "$unneeded" | sed 's/_.*//')
	log "downloading liblinphone $linphone and Kamailio: 100 MB"
	download $needed $headers
	unpack_all
	rm -rf "$root/usr/share/doc" "$root/usr/share/locale" "$root/usr/share/sounds" "$root/usr/share/man"
	end_fetching
}

if [ -d "$kit" ]; then # built while we waited
	echo "$kit"
	exit 0
fi
[ -e "$root/.complete" ] || fetch

libs=$root/usr/lib/$triplet
loader=$(find "$libs" -maxdepth 1 -name 'ld-*.so.*' | head -n 1)
[ -n "$loader" ] || fail "no dynamic loader in $libs"
log "building"
rm -rf "$kit.new"
mkdir -p "$kit.new"
"$cc" -std=gnu11 -O1 -Wall -Wextra -isystem "$root/usr/include" "$here"/*.c -o "$kit.new/linphone_peer.elf" -rdynamic \
	-L"$libs" -l:liblinphone.so.12 -l:libbctoolbox.so.2 -ldl -Wl,--allow-shlib-undefined || fail "linphone_peer does not build here"
# By the unpacked loader and libraries, whatever this machine has; not by a search path inside the program, which some of the
# libraries would not pass on to those that they need.
# Both end with the process that started them, however that ends.
program() {
	printf '#!/bin/sh\nexec setpriv --pdeathsig TERM "%s" --library-path "%s" %s "$@"\n' "$loader" "$libs:$libs/pulseaudio" "$2" > "$kit.new/$1"
	chmod +x "$kit.new/$1"
}
program linphone_peer "\"$kit/linphone_peer.elf\""
program kamailio "\"$root/usr/sbin/kamailio\" -L \"$libs/kamailio/modules/\""
ln -s "$root/usr/share" "$kit.new/resources"
mv "$kit.new" "$kit"
log "ready"
echo "$kit"

#!/usr/bin/env bash
# A second S3 server for tests, of other people than s3.sh's: Debian's OpenStack Swift with its s3api (SigV4, multipart, signed URLs, ranges), on loopback.
# Access key "sealwire:tests", secret "sealwire-secret", region us-east-1. The packages are unpacked into the cache, not installed; needs apt-get and python3.
#   swift.sh up|stop|status|url|wipe     SWIFT_PORT (28400; the servers behind it +1..+4), SEALWIRE_ENGINES (~/.cache/sealwire-engines)
set -euo pipefail
cache=${SEALWIRE_ENGINES:-$HOME/.cache/sealwire-engines}; port=${SWIFT_PORT:-28400}; root=$cache/swift; d=$cache/swift-$port
mkdir -p "$cache" "$d"; exec 9>"$d/lock"; flock 9
export PYTHONPATH=$root/usr/lib/python3/dist-packages LD_LIBRARY_PATH=$root/usr/lib/$(uname -m)-linux-gnu SWIFT_CONF_FILE=$d/swift.conf PATH=$root/usr/bin:$PATH
rings='account container object'; python=/usr/bin/python3
unpack() {
  local tmp=$root.$$ f
  mkdir -p "$tmp/apt/partial"
  local -a apt=(apt-get -q -y -o "Dir::Cache=$tmp/apt" -o "Dir::Cache::archives=$tmp/apt" -o APT::Sandbox::User=root -o Debug::NoLocking=true)
  # A list of packages that is a day old is no reason to fail, none at all is.
  local -a names=(--download-only --no-install-recommends swift-proxy swift-account swift-container swift-object memcached)
  "${apt[@]}" install "${names[@]}" >/dev/null 2>"$d/apt.log" || { apt-get -q update >/dev/null && "${apt[@]}" install "${names[@]}" >/dev/null; }
  for f in "$tmp"/apt/*.deb; do dpkg-deb -x "$f" "$tmp"; done
  # The one path that its servers take from nowhere else.
  sed -i "s|^SWIFT_CONF_FILE = .*|SWIFT_CONF_FILE = os.environ['SWIFT_CONF_FILE']|" "$tmp/usr/lib/python3/dist-packages/swift/common/utils.py"
  rm -rf "$tmp/apt"; mv "$tmp" "$root"
}
# All that reads these files is ours, so a pid in one is known by its command line.
pid() { local p; p=$(cat "$d/$1.pid" 2>/dev/null || true); [ -n "$p" ] && { tr '\0' ' ' <"/proc/$p/cmdline"; } 2>/dev/null | grep -q "$(name_of "$1")" && echo "$p" || true; }
name_of() { if [ "$1" = cache ]; then echo "memcached .*$((port + 4))"; else echo "$d/$1.conf"; fi; }
parts() { echo cache $rings proxy; }
up() { local part; for part in $(parts); do [ -n "$(pid "$part")" ] || return 1; done; }
spawn() { local part=$1; shift; [ -n "$(pid "$part")" ] && return; setsid "$@" >>"$d/log" 2>&1 </dev/null 9>&- & echo $! >"$d/$part.pid"; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
until_answers() { local n=150; until answers "$1"; do n=$((n - 1)); [ $n -gt 0 ] || { tail -n 5 "$d/log" >&2; end TERM; exit 1; }; sleep 0.1; done; }
end() { local part p n; for part in proxy $rings cache; do p=$(pid "$part"); [ -z "$p" ] || kill "-$1" -- "-$p"; done
  for part in $(parts); do n=100; while [ -n "$(pid "$part")" ] && [ $n -gt 0 ]; do n=$((n - 1)); sleep 0.1; done; rm -f "$d/$part.pid"; done; }
configure() {
  local n=0 kind
  mkdir -p "$d/devices/dev" "$d/recon"
  printf '%s\n' '[swift-hash]' 'swift_hash_path_prefix = tests' 'swift_hash_path_suffix = tests' '[storage-policy:0]' 'name = gold' 'default = yes' >"$d/swift.conf"
  local head="bind_ip = 127.0.0.1
workers = 0
swift_dir = $d
user = $(id -un)
log_level = ERROR"
  for kind in $rings; do
    n=$((n + 1))
    cat >"$d/$kind.conf" <<END
[DEFAULT]
$head
bind_port = $((port + n))
devices = $d/devices
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
recon_cache_path = $d/recon
END
    ( cd "$d"; swift-ring-builder $kind.builder create 4 1 1; swift-ring-builder $kind.builder add "r1z1-127.0.0.1:$((port + n))/dev" 1; swift-ring-builder $kind.builder rebalance ) >>"$d/log" 2>&1
  done
  # The order matters: with slo before s3api multipart uploads are "not implemented".
  local filters='catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink'
  { printf '%s\n' '[DEFAULT]' "$head" "bind_port = $port" '[pipeline:main]' "pipeline = $filters proxy-server" \
      '[app:proxy-server]' 'use = egg:swift#proxy' 'account_autocreate = true'
    for kind in $filters; do
      printf '%s\n' "[filter:$kind]" "use = egg:swift#${kind/cache/memcache}"
      case $kind in
        cache) echo "memcache_servers = 127.0.0.1:$((port + 4))" ;;
        s3api) printf '%s\n' 'location = us-east-1' 'auth_pipeline_check = false' 'min_segment_size = 1' ;;
        slo) echo 'minimum_segment_size = 1' ;;
        tempauth) echo 'user_sealwire_tests = sealwire-secret .admin' ;;
      esac
    done; } >"$d/proxy.conf"
}
case ${1:-status} in
  up)
    command -v apt-get >/dev/null && [ -x "$python" ] >/dev/null || { echo "swift: needs apt-get and Debian's python3" >&2; exit 1; }
    [ -d "$root" ] || unpack
    if ! up; then
      [ -e "$d/proxy.conf" ] || configure
      spawn cache memcached -l 127.0.0.1 -p $((port + 4)) -m 16 -u "$(id -un)"
      n=0; for kind in $rings; do n=$((n + 1)); spawn $kind "$python" "$root/usr/bin/swift-$kind-server" "$d/$kind.conf"; done
      for n in 1 2 3 4; do until_answers $((port + n)); done
      spawn proxy "$python" "$root/usr/bin/swift-proxy-server" "$d/proxy.conf"; until_answers "$port"
    fi; echo "http://127.0.0.1:$port" ;;
  stop) end TERM ;;
  wipe) end TERM; rm -rf "$d" ;;
  url) echo "http://127.0.0.1:$port" ;;
  status) echo "swift $(up && echo up || echo down) on 127.0.0.1:$port" ;;
  *) sed -n 2,4p "$0"; exit 2 ;;
esac

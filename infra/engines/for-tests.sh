#!/usr/bin/env bash
# The engines that the contract suites and the tests of several nodes want. What cannot be had here is said, and its tests are skipped aloud.
#   for-tests.sh up      starts what does not run yet; prints `export NAME=URL` lines
#   for-tests.sh down    stops what `up` started
set -euo pipefail
cd "$(dirname "$0")"
notes=${SEALWIRE_ENGINES:-$HOME/.cache/sealwire-engines}/started-for-tests
mkdir -p "$(dirname "$notes")"
export REPLSET=${REPLSET:-rs0}

runs() { local state; state=$(bash "$@" 2>/dev/null) && grep -Eq 'gateway up|master|(versitygw .*|swift) up on' <<<"$state"; }

one() { # VARIABLE BEFORE AFTER SCRIPT [KIND]: exports BEFORE, its URL, AFTER; fails when it cannot be had
  local variable=$1 before=$2 after=$3 script=$4 kind=${5:-} url
  runs "$script" status $kind || echo "ENGINE=${ENGINE:-redis} bash $script stop $kind" >>"$notes"
  if url=$(bash "$script" up $kind); then echo "export $variable=$before$url$after"
  else echo "no ${script%.sh} ${ENGINE:-} $kind here: the tests that need $variable will be skipped" >&2; return 1; fi
}

three() { # PREFIX: of what speaks Redis's protocol, a server alone, one behind Sentinel, and a cluster. Without the first the others are not tried
  one "$1_URL" "" "" redis.sh single && one "$1_SENTINEL_URL" redis+sentinel:// /main redis.sh sentinel && one "$1_CLUSTER_URL" redis+cluster:// "" redis.sh cluster
}

case ${1:-} in
  up)
    # Beside the others: these take nothing from the system's package manager but files.
    valkey=$(mktemp); (export ENGINE=valkey; three VALKEY) >"$valkey" & waiting=$!
    swift=$(mktemp); one SWIFT_S3_URL "" "" swift.sh >"$swift" & swift_waiting=$!
    one MONGODB_URI "" "" documentdb.sh || true
    three REDIS || true
    wait "$waiting" || true
    one S3_URL "" "" s3.sh || true
    wait "$swift_waiting" || true
    cat "$valkey" "$swift"; rm -f "$valkey" "$swift"
    ;;
  down)
    [ ! -e "$notes" ] || while read -r command; do env $command || true; done <"$notes"
    rm -f "$notes"
    ;;
  *) sed -n 2,4p "$0"; exit 2 ;;
esac

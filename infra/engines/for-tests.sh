#!/usr/bin/env bash
# The engines that the contract suites and the tests of several nodes want. What cannot be had here is said, and its tests are skipped aloud.
#   for-tests.sh up      starts what does not run yet; prints `export NAME=URL` lines
#   for-tests.sh down    stops what `up` started
set -euo pipefail
cd "$(dirname "$0")"
notes=${SEALWIRE_ENGINES:-$HOME/.cache/sealwire-engines}/started-for-tests
mkdir -p "$(dirname "$notes")"
export REPLSET=${REPLSET:-rs0}

runs() { local state; state=$(bash "$@" 2>/dev/null) && grep -Eq 'gateway up|master' <<<"$state"; }

one() { # VARIABLE BEFORE AFTER SCRIPT [KIND]: exports BEFORE, its URL, AFTER
  local variable=$1 before=$2 after=$3 script=$4 kind=${5:-} url
  runs "$script" status $kind || echo "$script stop $kind" >>"$notes"
  if url=$(bash "$script" up $kind); then echo "export $variable=$before$url$after"
  else echo "no ${script%.sh} $kind here: the tests that need $variable will be skipped" >&2; fi
}

case ${1:-} in
  up)
    one MONGODB_URI "" "" documentdb.sh
    one REDIS_URL "" "" redis.sh single
    one REDIS_SENTINEL_URL redis+sentinel:// /main redis.sh sentinel
    one REDIS_CLUSTER_URL redis+cluster:// "" redis.sh cluster
    ;;
  down)
    [ ! -e "$notes" ] || while read -r script action kind; do bash "$script" "$action" $kind || true; done <"$notes"
    rm -f "$notes"
    ;;
  *) sed -n 2,4p "$0"; exit 2 ;;
esac

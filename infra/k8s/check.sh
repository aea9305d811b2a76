#!/usr/bin/env bash
# Manifests before a real Kubernetes API server (kube-apiserver on etcd): decoding, defaults, validation, quotas and Pod Security are the real
# ones, ServiceMonitors are judged by their operator's own definition. Nothing is scheduled or started: there are no controllers and no nodes.
#   check.sh             what this repository has: the chart in several shapes, the plain rendering and its overlays
#   check.sh FILE|DIR…   these
#   check.sh schema FILE…  against the published schemas alone (kubernetes-validate of PyPI): no server, no build, and it sees less
#   check.sh built       whether the server is here already: exit code 0
#   check.sh stop
# Each object is applied as a server-side dry run with strict fields, in a namespace that enforces the level "restricted"; a warning is an error.
# The first time it compiles kube-apiserver and kubectl from the Go module proxy: some ten minutes of CPU, 165 MB, kept in SEALWIRE_ENGINES
# (~/.cache/sealwire-engines). Ports: K8S_PORT (26443), ETCD_PORT (22379 and the next).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${SEALWIRE_ENGINES:-$HOME/.cache/sealwire-engines}
version=1.36.4
schemas=1.37.0
operator=0.85.0
folder=$cache/k8s
api=$cache/bin/kube-apiserver-$version
kubectl=$cache/bin/kubectl-$version
port=${K8S_PORT:-26443}
etcd_port=${ETCD_PORT:-22379}
namespace=sealwire

pid() { # NAME PROGRAM: of the process that runs it, by the file that `up` wrote
  local p
  p=$(cat "$folder/$1.pid" 2>/dev/null || true)
  [ -n "$p" ] && [ "$(basename "$(readlink "/proc/$p/exe" 2>/dev/null)")" = "$2" ] && echo "$p" || true
}

tries() { # N COMMAND…: three times a second
  local n=$1
  shift
  until "$@" >/dev/null 2>&1; do
    n=$((n - 1))
    [ $n -gt 0 ] || { echo "check.sh: gave up on: $*" >&2; return 1; }
    sleep 0.3
  done
}

k() { "$kubectl" --kubeconfig "$folder/kubeconfig" "$@"; }

build() {
  mkdir -p "$cache/bin" "$folder/build/out"
  command -v etcd >/dev/null || {
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends etcd-server >/dev/null
  }
  [ -x "$api" ] && [ -x "$kubectl" ] && return
  echo "check.sh: compiling kube-apiserver $version; this takes a while" >&2
  (
    cd "$folder/build"
    export GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=0
    source=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')
    # Its staging folders are published as modules of their own.
    {
      printf 'module engines\ngo 1.26.0\nrequire k8s.io/kubernetes v%s\n' "$version"
      sed -nE "s#^\s*(replace )?(k8s\.io/[a-z0-9-]+) => \./staging/.*#replace \2 => \2 v0.${version#1.}#p" "$source"
    } >go.mod
    printf '//go:build tools\n\npackage engines\n\nimport (\n\t_ "k8s.io/kubernetes/cmd/kube-apiserver"\n\t_ "k8s.io/kubernetes/cmd/kubectl"\n)\n' >tools.go
    go mod tidy -e >/dev/null 2>&1
    x=k8s.io/component-base/version
    nice -n 19 go build -trimpath -ldflags "-s -w -X $x.gitVersion=v$version -X $x.gitMajor=1 -X $x.gitMinor=36" -o out/ \
      k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
  ) >"$folder/build.log" 2>&1 || { tail -n 20 "$folder/build.log" >&2; exit 1; }
  mv "$folder/build/out/kube-apiserver" "$api"
  mv "$folder/build/out/kubectl" "$kubectl"
}

up() {
  build
  # 9 is the lock: who stays must not hold it.
  [ -n "$(pid etcd etcd)" ] || {
    setsid etcd --data-dir "$folder/etcd" --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
      --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" --initial-advertise-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
      --initial-cluster "default=http://127.0.0.1:$((etcd_port + 1))" --unsafe-no-fsync >"$folder/etcd.log" 2>&1 </dev/null 9>&- &
    echo $! >"$folder/etcd.pid"
  }
  tries 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/$etcd_port"
  [ -s "$folder/sa.key" ] || openssl genrsa -out "$folder/sa.key" 2048 2>/dev/null
  [ -s "$folder/tokens" ] || (umask 077 && echo "$(openssl rand -hex 16),admin,1,system:masters" >"$folder/tokens")
  if [ -z "$(pid api "$(basename "$api")")" ]; then
    setsid "$api" --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$port" \
      --cert-dir "$folder/certs" --token-auth-file "$folder/tokens" --authorization-mode RBAC --service-account-issuer https://kubernetes.default.svc \
      --service-account-key-file "$folder/sa.key" --service-account-signing-key-file "$folder/sa.key" --service-cluster-ip-range 10.96.0.0/16 \
      --disable-admission-plugins ServiceAccount --endpoint-reconciler-type none --v 0 >"$folder/api.log" 2>&1 </dev/null 9>&- &
    echo $! >"$folder/api.pid"
  fi
  (
    umask 077
    cat >"$folder/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:$port', insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { token: '$(cut -d, -f1 "$folder/tokens")' } }]
contexts: [{ name: x, context: { cluster: c, user: u, namespace: $namespace } }]
current-context: x
END
  )
  tries 200 k get --raw /readyz || { tail -n 8 "$folder/api.log" >&2; exit 1; }
  k create namespace "$namespace" >/dev/null 2>&1 || true
  k label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted >/dev/null
  monitors
}

# Of the operator's own module: what it publishes for clusters.
monitors() {
  k get crd servicemonitors.monitoring.coreos.com >/dev/null 2>&1 && return
  local module
  module=$(go mod download -json "github.com/prometheus-operator/prometheus-operator@v$operator" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
  k create -f "$module/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" >/dev/null
  tries 60 k get --raw /apis/monitoring.coreos.com/v1/servicemonitors
}

stop() {
  local name p
  for name in "api $(basename "$api")" "etcd etcd"; do
    p=$(pid $name)
    [ -z "$p" ] || { kill "$p"; tries 60 eval "! kill -0 $p" || kill -9 "$p"; }
  done
  rm -rf "$folder/etcd"
}

check() { # FILE|DIR…
  local files=() file
  for file in "$@"; do files+=(-f "$file"); done
  k apply --dry-run=server --validate=strict --warnings-as-errors -R "${files[@]}"
}

mkdir -p "$folder"
case ${1:-} in
  built) [ -x "$api" ] && [ -x "$kubectl" ] && command -v etcd >/dev/null; exit ;;
  schema)
    shift
    validate=$cache/kubernetes-validate-$schemas/bin/kubernetes-validate
    [ -x "$validate" ] || { python3 -m venv "${validate%/bin/*}"; "${validate%/*}/pip" -q install "kubernetes-validate==$schemas"; }
    exec "$validate" --strict --quiet -k "${version%.*}.0" "$@"
    ;;
esac
exec 9>"$folder/lock"
flock 9
case ${1:-} in
  stop) stop ;;
  '')
    up
    shapes=$(mktemp -d)
    trap 'rm -rf "$shapes"' EXIT
    node "$here/render.mjs" shapes "$shapes"
    failed=0
    for shape in "$shapes"/*.yaml; do
      echo "── $(basename "$shape" .yaml)"
      check "$shape" || failed=1
    done
    exit $failed
    ;;
  -*) sed -n 2,12p "$0"; exit 2 ;;
  *) up; check "$@" ;;
esac

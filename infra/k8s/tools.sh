#!/usr/bin/env bash
# Helm and Kustomize at fixed versions, compiled from the Go module proxy once and kept beside the engines of tests (~/.cache/sealwire-engines,
# SEALWIRE_ENGINES): some minutes of CPU. Whoever has them already needs this only to render as this repository does (render.mjs).
#   tools.sh up       builds what is missing and prints where they are
#   tools.sh status   says what is there
set -euo pipefail
bin=${SEALWIRE_ENGINES:-$HOME/.cache/sealwire-engines}/bin
helm=3.21.4
kustomize=5.7.1

build() { # NAME VERSION PACKAGE
  [ -x "$bin/$1-$2" ] && return
  command -v go >/dev/null || { echo "tools.sh: no Go to build $1 with: install Go 1.26 or newer" >&2; exit 1; }
  draft=$(mktemp -d "$bin/$1.XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  GOBIN=$draft GOTOOLCHAIN=local CGO_ENABLED=0 nice -n 19 go install -trimpath -ldflags '-s -w' "$3@v$2"
  mv "$draft/$1" "$bin/$1-$2"
  rm -rf "$draft"
}

case ${1:-status} in
  up)
    mkdir -p "$bin"
    build helm "$helm" helm.sh/helm/v3/cmd/helm
    build kustomize "$kustomize" sigs.k8s.io/kustomize/kustomize/v5
    echo "$bin/helm-$helm"
    echo "$bin/kustomize-$kustomize"
    ;;
  status) for tool in "helm-$helm" "kustomize-$kustomize"; do [ -x "$bin/$tool" ] && echo "$bin/$tool" || echo "$tool is not built: infra/k8s/tools.sh up"; done ;;
  *) sed -n 2,5p "$0"; exit 2 ;;
esac

#!/bin/sh
# The secrets of an installation on Kubernetes, as manifests on standard output:
#   make-secret.sh STORE_URL_FILE BUS_URL_FILE BLOBS_SECRET_KEY_FILE | kubectl --namespace sealwire create -f -
#   make-secret.sh --trial | kubectl --namespace sealwire create -f -      with passwords for the engines of trial.enabled
# The files hold the URLs of database and bus with their passwords, and the secret of the S3 server's access key. New keys are made for
# tokens, app passwords and the key directory. `create`, not `apply`: it refuses to replace a key that is there (devices pin the directory's
# for good), and leaves no copy in an annotation. Nothing is kept here: save what it prints where you keep secrets, or the Secret itself.
#   RELEASE (sealwire): the release's name, of which the trial's Services have theirs.  SECRET (sealwire): secrets.existingSecret
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
release=${RELEASE:-sealwire}
secret=${SECRET:-sealwire}
case $release in *sealwire*) name=$release ;; *) name=$release-sealwire ;; esac

# In memory where that can be had.
state=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/sealwire-secret.XXXXXX")
trap 'rm -rf "$state"' EXIT
for folder in token app-passwords directory s3 blobs mongo valkey engines; do mkdir -p "$state/secrets/$folder"; done
mkdir "$state/tls"

# All keys by the one script that makes them; what it makes for engines is used for a trial only.
STATE=$state TLS_FOLDER=none PUBLIC_ORIGIN=https://localhost \
  STORE_URL="mongodb://sealwire@$name-mongo:27017/sealwire?replicaSet=rs0&authSource=admin" \
  BUS_URL="redis://sealwire@$name-valkey:6379" \
  "$here/../docker/first-start.sh"

manifest() { # NAME, then KEY FILE pairs
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  labels: { app.kubernetes.io/name: sealwire }\ntype: Opaque\ndata:\n' "$1"
  shift
  while [ $# -gt 0 ]; do
    printf '  %s: %s\n' "$1" "$(openssl base64 -A -in "$2")"
    shift 2
  done
}

servers() { # STORE_URL_FILE BUS_URL_FILE BLOBS_SECRET_KEY_FILE
  manifest "$secret" store.url "$1" bus.url "$2" blobs-secret.key "$3" token.key "$state/secrets/token/token.key" \
    app-passwords.key "$state/secrets/app-passwords/app-passwords.key" directory.key "$state/secrets/directory/directory.key"
}

of=$state/secrets
case ${1:-} in
  --trial)
    servers "$of/engines/store.url" "$of/engines/bus.url" "$of/blobs/secret.key"
    manifest "$secret-mongo" internal.key "$of/mongo/internal.key" admin.password "$of/mongo/admin.password" servers.password "$of/mongo/servers.password"
    manifest "$secret-valkey" users.acl "$of/valkey/users.acl"
    manifest "$secret-s3" credentials "$of/s3/credentials"
    ;;
  '' | -*) sed -n 2,9p "$0" >&2; exit 2 ;;
  *)
    [ $# -eq 3 ] || { sed -n 2,9p "$0" >&2; exit 2; }
    for file in "$@"; do [ -s "$file" ] || { echo "make-secret.sh: $file is empty or not there" >&2; exit 1; }; done
    servers "$@"
    ;;
esac

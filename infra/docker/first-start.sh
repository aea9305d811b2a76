#!/bin/sh
# The first start of a deployment in containers: makes the secrets that are not there yet, each in a volume of its own, mode 600, for the
# user of all services. A file that is there is never touched, and one that is made appears whole or not at all.
#   PUBLIC_ORIGIN   the host of the certificate, beside localhost
#   STATE           where the volumes are mounted
set -eu
umask 077
state=${STATE:-/var/lib/sealwire}

keep() { # FILE: takes what comes on stdin, unless FILE is there
  [ ! -s "$1" ] || { cat >/dev/null; return; }
  draft=$(mktemp "$1.XXXXXX")
  cat >"$draft"
  [ -s "$draft" ] || { echo "first-start: nothing to write into $1" >&2; exit 1; }
  sync "$draft"
  ln "$draft" "$1" 2>/dev/null || [ -s "$1" ]
  rm -f "$draft"
}

random() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '='; }

random | keep "$state/secrets/token/token.key"
random | keep "$state/secrets/app-passwords/app-passwords.key"
{ echo "ROOT_ACCESS_KEY=sealwire"; echo "ROOT_SECRET_KEY=$(random)"; } | keep "$state/secrets/s3/credentials"

# For the first message only: browsers and programs must be told to trust it. A real one takes its place (docs/operations/containers.md).
if [ ! -s "$state/tls/cert.pem" ] && [ -z "${TLS_FOLDER:-}" ]; then
  host=$(printf '%s' "${PUBLIC_ORIGIN:-https://localhost}" | sed -E 's#^https?://##; s#[/:].*$##')
  openssl ecparam -name prime256v1 -genkey -noout | keep "$state/tls/key.pem"
  names="DNS:localhost,IP:127.0.0.1"
  [ "$host" = localhost ] || names="DNS:$host,$names"
  openssl req -x509 -new -key "$state/tls/key.pem" -days 825 -subj "/CN=$host" -addext "subjectAltName=$names" |
    keep "$state/tls/cert.pem"
fi

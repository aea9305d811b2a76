#!/bin/sh
# The first start of a deployment in containers: makes the secrets that are not there yet, each in the volume of who needs it, mode 600, for
# the user of all services. A secret that is there is never touched, and what is written appears whole or not at all.
#   PUBLIC_ORIGIN          the host of the certificate, beside localhost
#   STORE_URL, BUS_URL     where the servers find database and Valkey, with a user and without the password, which is put in here
#   STATE                  where the volumes are mounted
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

renew() { # FILE: takes what comes on stdin in the place of FILE
  draft=$(mktemp "$1.XXXXXX")
  cat >"$draft"
  sync "$draft"
  mv "$draft" "$1"
}

random() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '='; }

random | keep "$state/secrets/token/token.key"
random | keep "$state/secrets/app-passwords/app-passwords.key"
random | keep "$state/secrets/directory/directory.key"
{ echo "ROOT_ACCESS_KEY=sealwire"; echo "ROOT_SECRET_KEY=$(random)"; } | keep "$state/secrets/s3/credentials"
# The same for who calls it.
sed -n 's/^ROOT_SECRET_KEY=//p' "$state/secrets/s3/credentials" | renew "$state/secrets/blobs/secret.key"

# Database and Valkey answer to a password only. mongod demands a key of the members of a replica set, even of one, before it asks for any.
openssl rand -base64 756 | keep "$state/secrets/mongo/internal.key"
for user in admin servers; do random | keep "$state/secrets/mongo/$user.password"; done
random | keep "$state/secrets/valkey/servers.password"

# Made of the passwords at each start. By the shell's own printf: the arguments of a program are seen by others.
with_password() { # URL PASSWORD-FILE
  printf '%s:%s@%s\n' "${1%%@*}" "$(cat "$2")" "${1#*@}"
}
with_password "${STORE_URL:?}" "$state/secrets/mongo/servers.password" | renew "$state/secrets/engines/store.url"
with_password "${BUS_URL:?}" "$state/secrets/valkey/servers.password" | renew "$state/secrets/engines/bus.url"
{
  echo 'user default off'
  echo 'user health on nopass -@all +ping'
  printf 'user sealwire on >%s ~* &* +@all -@admin -@dangerous +info\n' "$(cat "$state/secrets/valkey/servers.password")"
} | renew "$state/secrets/valkey/users.acl"

# For the first message only: browsers and programs must be told to trust it. A real one takes its place (docs/operations/containers.md).
if [ ! -s "$state/tls/cert.pem" ] && [ -z "${TLS_FOLDER:-}" ]; then
  host=$(printf '%s' "${PUBLIC_ORIGIN:-https://localhost}" | sed -E 's#^https?://##; s#[/:].*$##')
  openssl ecparam -name prime256v1 -genkey -noout | keep "$state/tls/key.pem"
  names="DNS:localhost,IP:127.0.0.1"
  [ "$host" = localhost ] || names="DNS:$host,$names"
  openssl req -x509 -new -key "$state/tls/key.pem" -days 825 -subj "/CN=$host" -addext "subjectAltName=$names" |
    keep "$state/tls/cert.pem"
fi

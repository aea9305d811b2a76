#!/usr/bin/env bash
# docker-compose.yml brought up for real, on stand-ins for its images, and two people who talk through it; run by compose.sh run bash.
# Prints a line `shown: …` for each thing shown, and fails at the first that is not.
#   STAND_INS, DATABASE   see stand-ins.yml
#   PORT                  where nginx is published on loopback
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_FILE=docker-compose.yml:infra/engines/stand-ins.yml COMPOSE_PROJECT_NAME=sealwire-test PORT DATABASE STAND_INS
server=https://localhost:$PORT

end() { # the database is the machine's, and does not go with the volumes
  local status=$?
  [ $status = 0 ] || docker-compose logs --no-color --tail 20 >&2
  docker-compose exec -T -w /srv/sealwire/packages/store api node -e \
    "import('mongoose').then(async({createConnection:c})=>{const d=await c(process.env.STORE_URL).asPromise();await d.dropDatabase();await d.close()})" \
    </dev/null >&2 || true
  docker-compose down --volumes --timeout 5 >/dev/null 2>&1 || true
  exit $status
}
trap end EXIT

shown() { echo "shown: $*"; }
expect() { [[ $2 == *"$3"* ]] || { echo "$1: $2" >&2; exit 1; }; shown "$1"; }
sealwire() { # USER ARGS…: the command line from source
  local home=$STAND_INS/$1; shift
  HOME=$home NODE_EXTRA_CA_CERTS=$STAND_INS/cert.pem node --conditions=@sealwire/source --disable-warning=ExperimentalWarning \
    --import ./infra/scripts/swc-loader.mjs apps/cli/src/main.ts "$@"
}
inside() { docker-compose exec -T "$@" </dev/null; }

docker-compose up --no-build --detach --wait --wait-timeout 240 2>&1 | grep -iE 'error|unhealthy' >&2 || true
states=$(docker-compose ps --all --format '{{.Service}}={{.State}},{{.Health}}')
for service in mongo valkey api directory relay-1 relay-2 nginx; do expect "$service is healthy" "$states" "$service=running,healthy"; done
expect "first-start has ended" "$states" "first-start=exited,"

expect "nobody is root" "$(for one in api relay-1 valkey nginx; do inside $one id -u; done | sort -u | tr '\n' ' ')" "10001 "
for one in api nginx; do inside $one sh -c 'echo > /written' 2>/dev/null && { echo "$one writes on its root" >&2; exit 1; }; done
shown "the roots cannot be written"
for one in api directory relay-1 nginx; do inside $one grep -q '^CapEff:.0*$' /proc/self/status; done
shown "no capability is left"
expect "secrets are for their user only" "$(inside api stat -c '%a %u' /run/sealwire/token/token.key /run/sealwire/app-passwords/app-passwords.key)" "600 10001
600 10001"
inside relay-1 sh -c '! ls /run/sealwire 2>/dev/null'
shown "the relays have no secret"

inside nginx cat /run/sealwire/tls/cert.pem >"$STAND_INS/cert.pem"
for user in alice bob; do
  mkdir -p "$STAND_INS/$user"
  code=$(inside api sealwire-server invite 2>/dev/null)
  sealwire $user register -u $user -s "$server" --invitation "$code" --no-passphrase >/dev/null
done
shown "two people have registered with invitations"
sealwire alice send -u alice -t bob -m 'the first message'
expect "the first message has arrived" "$(sealwire bob listen -u bob --count 1)" 'the first message'

docker-compose kill --signal KILL relay-1 >/dev/null 2>&1
sealwire alice send -u alice -t bob -m 'with one relay less'
expect "a relay was killed, a message has arrived" "$(sealwire bob listen -u bob --count 1)" 'with one relay less'

before=$(inside api cat /run/sealwire/token/token.key | sha256sum)
docker-compose down --timeout 20 >/dev/null 2>&1
docker-compose up --no-build --detach --wait --wait-timeout 240 2>&1 | grep -iE 'error|unhealthy' >&2 || true
[ "$before" = "$(inside api cat /run/sealwire/token/token.key | sha256sum)" ]
shown "a second start keeps the secrets"
sealwire alice send -u alice -t bob -m 'after a restart'
expect "after a restart a message has arrived" "$(sealwire bob listen -u bob --count 1)" 'after a restart'

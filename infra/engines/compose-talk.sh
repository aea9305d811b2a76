#!/usr/bin/env bash
# docker-compose.yml brought up for real, on stand-ins for its images, and two people who talk through it; run by compose.sh run bash.
# Prints a line `shown: …` for each thing shown, and fails at the first that is not.
#   STAND_INS, DATABASE   see stand-ins.yml
#   PORT                  where nginx is published on loopback
set -euo pipefail
cd "$(dirname "$0")/../.."
export COMPOSE_FILE=docker-compose.yml:infra/engines/stand-ins.yml COMPOSE_PROJECT_NAME=sealwire-test PORT DATABASE STAND_INS
server=https://localhost:$PORT

end() { # database and user are the machine's, and do not go with the volumes
  local status=$?
  [ $status = 0 ] || docker-compose logs --no-color --tail 20 >&2
  docker-compose kill --signal KILL api directory relay-1 relay-2 >/dev/null 2>&1 || true
  inside mongo node /run/stand-ins/stand-in-user.mjs forget >&2 || true
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
for service in mongo valkey s3 api directory relay-1 relay-2 nginx; do expect "$service is healthy" "$states" "$service=running,healthy"; done
expect "first-start has ended" "$states" "first-start=exited,"

expect "nobody is root" "$(for one in api relay-1 valkey nginx; do inside $one id -u; done | sort -u | tr '\n' ' ')" "10001 "
for one in api nginx; do inside $one sh -c 'echo > /written' 2>/dev/null && { echo "$one writes on its root" >&2; exit 1; }; done
shown "the roots cannot be written"
for one in api directory relay-1 nginx; do inside $one grep -q '^CapEff:.0*$' /proc/self/status; done
shown "no capability is left"
expect "secrets are for their user only" "$(inside api stat -c '%a %u' /run/sealwire/token/token.key /run/sealwire/app-passwords/app-passwords.key)" "600 10001
600 10001"
expect "the relays have no secret but the way to the engines" "$(inside relay-1 ls -R /run/sealwire | tr '\n' ' ')" "/run/sealwire: engines  /run/sealwire/engines: bus.url store.url "

# From a container beside them, as somebody who has broken into it would ask.
mongo() { # URL: what a read is answered with
  inside -w /srv/sealwire/packages/store api node -e "import('mongoose').then(async({createConnection:c})=>{const d=await c(process.argv[1]).asPromise();
    await d.collection('accounts').findOne().finally(()=>d.close())}).then(()=>console.log('read'),e=>console.log(e.code+' '+e.codeName))" "$1"
}
valkey() { # what commands of one line each are answered with
  inside api node -e "const s=require('net').connect(6379,'valkey').setEncoding('utf8').on('data',t=>process.stdout.write(t));
    s.write(process.argv.slice(1).concat('QUIT').join('\r\n')+'\r\n')" "$@"
}
at="mongo:27017/$DATABASE?authSource=admin&directConnection=true"
expect "the database answers nobody without a password" "$(mongo "mongodb://$at")" "13 Unauthorized"
expect "nor with a wrong one" "$(mongo "mongodb://$DATABASE:wrong@$at")" "18 AuthenticationFailed"
expect "with the right one it does" "$(mongo "$(inside api cat /run/sealwire/engines/store.url)")" "read"
expect "Valkey answers nobody without a password" "$(valkey 'GET x' 'PUBLISH x y')" $'-NOAUTH Authentication required.\r\n-NOAUTH'
expect "nor with a wrong one" "$(valkey 'AUTH sealwire wrong' 'GET x')" $'-WRONGPASS'
expect "the user of its health check may do nothing else" "$(valkey 'AUTH health none' PING 'PUBLISH x y')" $'+OK\r\n+PONG\r\n-NOPERM'
expect "nor the servers what is for an operator" "$(valkey "AUTH sealwire $(inside valkey cat /run/sealwire/valkey/servers.password)" 'CONFIG GET dir')" $'+OK\r\n-NOPERM'

inside nginx cat /run/sealwire/tls/cert.pem >"$STAND_INS/cert.pem"
expect "files are behind the same origin, and nobody reads them without a signature" \
  "$(NODE_EXTRA_CA_CERTS=$STAND_INS/cert.pem node -e "fetch(process.argv[1]).then(async a=>console.log(a.status,(await a.text()).match(/<Code>\w+/)?.[0]))" "$server/sealwire-files/x")" "403 <Code>AccessDenied"

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

told=$(docker-compose config; docker-compose logs --no-color 2>&1; pm inspect $(pm ps --all --quiet))
secrets=$(inside api cat /run/sealwire/token/token.key /run/sealwire/app-passwords/app-passwords.key
  inside directory cat /run/sealwire/directory/directory.key
  inside mongo sh -c 'cat /run/sealwire/mongo/*.password && head -n 1 /run/sealwire/mongo/internal.key'
  inside valkey cat /run/sealwire/valkey/servers.password)
[ "$(wc -l <<<"$secrets")" = 7 ] && grep -q first-start <<<"$told" && ! grep -qF -- "$secrets" <<<"$told"
shown "no secret stands in the configuration, in what containers are started with, or in a log"

keys() { { inside api cat /run/sealwire/token/token.key && inside directory cat /run/sealwire/directory/directory.key; } | sha256sum; }
before=$(keys)
docker-compose down --timeout 20 >/dev/null 2>&1
docker-compose up --no-build --detach --wait --wait-timeout 240 2>&1 | grep -iE 'error|unhealthy' >&2 || true
[ "$before" = "$(keys)" ]
shown "a second start keeps the secrets"
sealwire alice send -u alice -t bob -m 'after a restart'
expect "after a restart a message has arrived" "$(sealwire bob listen -u bob --count 1)" 'after a restart'

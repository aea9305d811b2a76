/** The measured process: `bare` (node:http that answers with as many bytes) or `directory` (the real one, LMDB in the folder given). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createTokenSigner, createTokenVerifier } from '@sealwire/access/tokens';
import { openMemoryBus } from '@sealwire/bus/memory';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { openLmdbStore } from '@sealwire/store/lmdb';
import { startDirectory } from '../src/start.ts';
import { enrol, type TestDevice, testDevice } from '../src/testing/device.ts';
import { UNLIMITED } from '../src/testing/unlimited.ts';

const POOL = 20_000;
const BUNDLE_BYTES = 5 + 2 + 80 + 1 + 132;
const [kind, folder = '', newcomers = '0'] = process.argv.slice(2);

/** As most devices are: on both curves. */
function withTwoIdentities(device: TestDevice): TestDevice {
  return { ...device, listed: { ...device.listed, identities: device.listed.identities.slice(0, 2) } };
}

async function directory() {
  const crypto = nodeCrypto();
  const store = await openLmdbStore({ path: folder });
  const issuer = 'https://bench.example';
  const signer = createTokenSigner({ seed: crypto.sha256(Buffer.from('bench')), issuer, now: Date.now });
  const tokens = createTokenVerifier({ jwks: signer.jwks(), issuer, now: Date.now });
  const door = await startDirectory({
    store,
    bus: openMemoryBus(),
    crypto,
    random: systemRandom,
    now: Date.now,
    log: silentLog,
    metrics: createMetrics(),
    settings: UNLIMITED,
    tokens,
    version: 'bench',
  });
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => testDevice(crypto, name));
  for (const device of [alice!, bob!, carol!]) await enrol(store, withTwoIdentities(device));
  for (const device of [bob!, carol!]) {
    const { identityKey, signedPrekey } = device.registration('c25519');
    await store.prekeys.register(device.id, 'c25519', { identityKey, signedPrekey }, []);
  }
  // Straight into the store: the endpoint's own limit of a pool would be in the way of a long run.
  const publicKey = bob!.oneTime('c25519', 1)[0]!.publicKey;
  for (let from = 1; from <= POOL; from += 1000) {
    const keys = Array.from({ length: 1000 }, (_, i) => ({ id: from + i, publicKey }));
    await store.prekeys.addOneTime(bob!.id, 'c25519', keys, { maximum: POOL, now: Date.now() });
  }
  const { token } = await signer.sign(alice!.id, ['directory']);
  const headers = { authorization: `Bearer ${token}`, from: alice!.id };
  const newcomerTokens: string[] = [];
  for (let i = 0; i < Number(newcomers); i++) {
    const device = testDevice(crypto, `user${i}`);
    await enrol(store, withTwoIdentities(device));
    newcomerTokens.push((await signer.sign(device.id, ['directory'])).token);
  }
  return {
    handle: door.handle.bind(door),
    hello: { headers, withKeys: bob!.id, withoutKeys: carol!.id, tokens: newcomerTokens },
  };
}

const bundle = Buffer.alloc(BUNDLE_BYTES);
const { handle, hello } =
  kind === 'bare'
    ? {
        handle: (request: IncomingMessage, response: ServerResponse) => {
          request.resume();
          request.on('end', () => {
            response.writeHead(200, { 'content-type': 'x3dh/octet-stream', 'content-length': bundle.length });
            response.end(bundle);
          });
        },
        hello: {},
      }
    : await directory();

const server = createServer(handle).listen(0, '127.0.0.1', () =>
  process.send!({ ...hello, address: server.address() }),
);
process.on('message', () => process.send!(process.cpuUsage()));
// An orderly exit, at which `node --cpu-prof … bench/bundles.ts` writes this process's profile.
process.on('disconnect', () => process.exit());

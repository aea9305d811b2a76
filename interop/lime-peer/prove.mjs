// Checks a LIME key server with genuine clients: any server, by its URL (README.md).
//
//   node prove.mjs --c25519 URL --c448 URL        either or both; may be the same
//     --domain example.org                        of the device ids
//     --bare-ids                                  alice.d1.RUN, as LIME's own tests have them
//     --create '{"auth": {…}}'                    further fields of every create_user: credentials, headers
//     --one-time-prekey-limit 200                 the server's, if it has one
//     --knows-identities                          it knows them from elsewhere, and takes no others
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checksOf } from './checks.mjs';
import { findPeer, LimePeer } from './lime-peer.mjs';

const { values: options } = parseArgs({
  options: {
    c25519: { type: 'string' },
    c448: { type: 'string' },
    domain: { type: 'string', default: 'example.org' },
    'bare-ids': { type: 'boolean', default: false },
    create: { type: 'string', default: '{}' },
    'one-time-prekey-limit': { type: 'string', default: '0' },
    'knows-identities': { type: 'boolean', default: false },
  },
});

const found = findPeer();
if ('missing' in found) {
  console.error(`the liblime peer: ${found.missing}`);
  process.exit(2);
}
const started = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'lime-peer-'));
const peer = new LimePeer(found.path);
const create = JSON.parse(options.create);
let passed = 0;
let failed = 0;
for (const curve of ['c25519', 'c448']) {
  if (!options[curve]) continue;
  const site = {
    peer,
    folder,
    url: options[curve],
    domain: options.domain,
    bareIds: options['bare-ids'],
    run: randomBytes(4).toString('hex'),
    knowsIdentities: options['knows-identities'],
    oneTimePrekeyLimit: Number(options['one-time-prekey-limit']),
    register: (command) => peer.must({ ...command, ...create }),
  };
  for (const { title, run } of checksOf(curve, site)) {
    try {
      await run();
      passed += 1;
    } catch (error) {
      failed += 1;
      console.log(`FAILED on ${curve}: ${title}: ${error.message}`);
    }
  }
}
await peer.quit();
rmSync(folder, { recursive: true });
console.log(`${passed} checks passed, ${failed} failed, ${((Date.now() - started) / 1000).toFixed(1)} s`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

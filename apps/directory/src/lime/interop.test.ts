/**
 * Genuine LIME clients (liblime 5.3) register with this directory and exchange messages, on both curves at one URL. The peer is a
 * separate program beside the repository (`../shared/interop/lime-peer`); the test runs where it was set up before, or with LIME_PEER=1.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Device, Store } from '@sealwire/store/port';
import { type AccountAddress, accountOf, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { startFixture } from '../testing/fixture.ts';
import type { Authenticate } from './authenticate.ts';

const run = promisify(execFile);
const peer = fileURLToPath(new URL('../../../../../shared/interop/lime-peer', import.meta.url));
const cache = process.env.LIME_PEER_CACHE ?? join(homedir(), '.cache/lime-peer');
const missing = !existsSync(join(peer, 'prove.mjs'))
  ? 'the peer is not beside this repository'
  : process.env.LIME_PEER === '1' || existsSync(join(cache, 'lime_peer'))
    ? undefined
    : 'the peer is not set up; LIME_PEER=1 sets it up';

/** LIME's own clients know no tokens: whoever says to be a device is one, and becomes known to the store. */
function believeEverybody(store: Store): Authenticate {
  const enrolments = new Map<AccountAddress, Promise<void>>();
  return async (request) => {
    const device = parseDeviceId(request.headers.from!);
    const address = accountOf(device);
    const enrolled = (enrolments.get(address) ?? Promise.resolve()).then(() => enrol(store, address, device));
    enrolments.set(address, enrolled);
    await enrolled;
    return { device };
  };
}

async function enrol(store: Store, address: AccountAddress, id: DeviceId): Promise<void> {
  const known = await store.devices.list(address);
  if (known.some((device) => device.id === id)) return;
  const device: Device = { id, identities: [], loginKey: new Uint8Array(32), addedAt: 0 };
  const version = known.length + 1;
  const manifest = { version, bytes: Uint8Array.of(version), signature: new Uint8Array(64) };
  if (version === 1)
    await store.accounts.create({ address, accountKey: new Uint8Array(32), createdAt: 0 }, manifest, [device]);
  else await store.manifests.publish(address, manifest, [...known, device], 0);
}

describe('liblime against this directory', () => {
  const title = 'registers, refills, rotates, exchanges messages and is refused where it must be';
  const proof = async () => {
    const { stdout: program } = await run(join(peer, 'setup.sh'), { timeout: 180_000 });
    expect(program.trim()).toBe(join(cache, 'lime_peer'));
    const store = openMemoryStore();
    const fixture = await startFixture(
      {},
      {
        store,
        authenticate: believeEverybody(store),
        roster: { hasIdentity: async () => true },
      },
    );
    try {
      const url = `${fixture.listening.url}/lime`;
      const options = ['--c25519', url, '--c448', url, '--opk-limit', '200', '--auth-proof'];
      const { stdout } = await run(process.execPath, [join(peer, 'prove.mjs'), ...options], { timeout: 120_000 }).catch(
        (error: { stdout: string }) => error,
      );
      expect(stdout).toMatch(/^62 checks passed, 0 failed/m);
    } finally {
      await fixture.close();
    }
  };
  if (missing) it.skip(`${title} (skipped: ${missing})`, proof);
  else it(title, proof, 300_000);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { ALICE, account, bundle, device, expectError, manifest, NOW, oneTimeKeys } from '../contract/fixture.ts';
import { lmdbAccounts } from './accounts.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { lmdbPrekeys } from './prekeys.ts';
import { lmdbWriter, Writer } from './writer.ts';

const MEMORY_MS = LIMITS.claimedPrekeyMemoryMs.value;
const roomy = (now: number) => ({ maximum: 1_000, now });

let folder: string;
let environment: Environment;
let phone: DeviceId;
let laptop: DeviceId;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-'));
  environment = openEnvironment(folder);
  const devices = [device(ALICE, 1), device(ALICE, 2)];
  await lmdbAccounts(environment, lmdbWriter(environment), () => {}).create(account(ALICE), manifest(1), devices);
  [phone, laptop] = devices.map(({ id }) => id) as [DeviceId, DeviceId];
});

afterEach(async () => {
  await environment.close();
  rmSync(folder, { recursive: true });
});

describe('a claim', () => {
  it('writes only when there is a one-time key to take, and sees at once what was committed', async () => {
    const prekeys = lmdbPrekeys(environment, lmdbWriter(environment));
    const cannotWrite = lmdbPrekeys(environment, new Writer(() => Promise.reject(new Error('read only'))));
    const claim = () => cannotWrite.claim('c25519', [phone, laptop], NOW);

    expect(await claim()).toEqual([undefined, undefined]);
    await prekeys.register(phone, 'c25519', bundle(1), []);
    expect(await claim()).toEqual([bundle(1), undefined]);
    await prekeys.addOneTime(phone, 'c25519', oneTimeKeys(1), roomy(NOW));
    await expectError(claim(), 'unavailable');
    await prekeys.claim('c25519', [phone], NOW);
    expect(await claim()).toEqual([bundle(1), undefined]);
  });

  it('is forgotten when its time is over, so that claims leave nothing behind for ever', async () => {
    const prekeys = lmdbPrekeys(environment, lmdbWriter(environment));
    await prekeys.register(phone, 'c25519', bundle(1), []);
    for (let n = 0; n < 40; n++) {
      const now = NOW + n * MEMORY_MS;
      await prekeys.addOneTime(phone, 'c25519', oneTimeKeys(n, n + 1_000), roomy(now));
      await prekeys.claim('c25519', [phone, phone], now);
    }
    environment.renew();
    // Two keys of the last round, and two of the one before, whose time is over just now: each
    // under its id and its end.
    expect(environment.databases.onetime.getKeysCount()).toBeLessThanOrEqual(8);
    const late = roomy(NOW + 41 * MEMORY_MS);
    await prekeys.addOneTime(phone, 'c25519', oneTimeKeys(38), late);
    expect(await prekeys.listOneTime(phone, 'c25519')).toEqual([38]);
  });
});

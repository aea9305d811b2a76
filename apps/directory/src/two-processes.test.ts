/** Two key directories on one store: no pair, account or target gets a second budget from the second process (docs/adr/0037; case D12). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Counters } from '@sealwire/bus/counters';
import { sharedCounters } from '@sealwire/bus/testing/shared-counters';
import { openMemoryStore } from '@sealwire/store/memory';
import type { DirectorySettings } from './settings.ts';
import { enrol, type TestDevice, testDevice } from './testing/device.ts';
import { crypto, type Fixture, startFixture } from './testing/fixture.ts';

/** Another run's windows may be open still. */
const run = `${process.pid}${Date.now()}`;
let tests = 0;

let directories: [Fixture, Fixture];
let counters: Counters[];
let bob: TestDevice;
let askers: TestDevice[];

async function begin(open: () => Promise<Counters>, settings: Partial<DirectorySettings>): Promise<void> {
  const store = openMemoryStore();
  counters = [await open(), await open()];
  const start = (i: number) => startFixture(settings, { store, counters: counters[i]! });
  directories = [await start(0), await start(1)];
  const name = `n${run}${++tests}`;
  bob = testDevice(crypto, `${name}bob`);
  askers = [0, 1, 2].map((n) => testDevice(crypto, `${name}asker${n}`));
  for (const device of [bob, ...askers]) await enrol(store, device);
  const ids = Array.from({ length: 50 }, (_, i) => i + 1);
  await directories[0].lime(bob, bob.registration('c25519', ...ids));
}
afterEach(async () => {
  for (const one of directories) await one.close();
  for (const one of counters) await one.close();
});

/** How many one-time prekeys of bob `device` gets of `times` requests, in turn at both. */
async function taken(device: TestDevice, times: number): Promise<number> {
  const answers = Array.from({ length: times }, (_, i) => directories[i % 2]!.bundles(device, 'c25519', bob.id));
  return (await Promise.all(answers)).filter(([peer]) => peer?.bundle?.oneTimePrekey).length;
}

describe.each(sharedCounters('two directories'))('two directories, counting on $name', ({ openerOf }) => {
  it('D12: give a pair one budget, whoever asks both at the same time', async () => {
    await begin(openerOf(), { BUNDLES_PER_PAIR: 6 });
    expect(await taken(askers[0]!, 20)).toBe(6);
    expect(await taken(askers[1]!, 20)).toBe(6);
  });

  it('D12: give of a target what one directory would, the last half to accounts that had nothing', async () => {
    await begin(openerOf(), { BUNDLES_PER_TARGET: 10 });
    expect(await taken(askers[0]!, 20)).toBe(5);
    expect(await taken(askers[1]!, 20)).toBe(1);
    expect(await taken(askers[2]!, 20)).toBe(1);
  });

  it('D12: bound what one device asks for in all', async () => {
    await begin(openerOf(), { BUNDLES_PER_REQUESTER: 4 });
    await expect(taken(askers[0]!, 5)).rejects.toThrow('status 429');
  });
});

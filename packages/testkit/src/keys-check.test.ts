/** A directory that does not hold what a device has published, and what the device does about it (docs/spec/client.md section 8). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { Lime } from '@sealwire/lime/lime';
import { MemoryLimeStore } from '@sealwire/lime/testing/memory-store';
import { LIMITS } from '@sealwire/wire/limits';
import { type Constellation, startConstellation } from './constellation.ts';
import { BOTH_CURVES, type Person, type PersonOptions, register, take, takeTexts } from './person.ts';

const SUITE = 'c25519';
let constellation: Constellation;
let alice: Person;
const people: Person[] = [];

beforeEach(async () => {
  constellation = await startConstellation();
  alice = await person('alice');
});

afterEach(async () => {
  for (const { client } of people.splice(0)) await client.close();
  await constellation.stop();
});

async function person(name: string, options: PersonOptions = {}): Promise<Person> {
  const made = await register(constellation, name, options);
  people.push(made);
  await made.client.connect();
  return made;
}

/** Keys as alice's device could have made them, but has not. */
function strangeKeys() {
  const store = new MemoryLimeStore();
  const lime = new Lime({ crypto: nodeCrypto(), store, random: systemRandom, now: Date.now });
  return lime.createDevice(alice.client.device, SUITE);
}

const prekeys = () => constellation.store.prekeys;
const held = async () => {
  const [bundle] = await prekeys().find(SUITE, [alice.client.device]);
  return { bundle: bundle!, ids: await prekeys().listOneTime(alice.client.device, SUITE) };
};

/** Somebody who has never met alice. */
async function expectReached(name: string): Promise<void> {
  const writer = await person(name);
  await (await writer.client.send('alice', `from ${name}`)).accepted;
  expect(await takeTexts(alice.client, 1)).toEqual([`from ${name}`]);
}

describe('D15: a device that looks after the directory’s copy of its keys', () => {
  it('finds nothing where all is well, and uploads nothing', async () => {
    const before = await held();
    expect(await alice.client.devices.checkKeys()).toEqual([]);
    expect(await held()).toEqual(before);
  });

  it('registers again where it was lost, with the same identity and signed prekey', async () => {
    const before = await held();
    await prekeys().delete(alice.client.device, SUITE);
    const finding = { suite: SUITE, part: 'registration', mended: true };
    expect(await alice.client.devices.checkKeys()).toEqual([finding]);
    expect(await take(alice.client, 'directory-keys', 1)).toEqual([{ kind: 'directory-keys', ...finding }]);
    const after = await held();
    expect(after.bundle).toEqual(before.bundle);
    expect(after.ids.filter((id) => before.ids.includes(id))).toEqual([]);
    expect(await alice.client.devices.checkKeys()).toEqual([]);
    await expectReached('bob');
  });

  it('posts its signed prekey where there is another one', async () => {
    const before = await held();
    await prekeys().replaceSignedPrekey(alice.client.device, SUITE, strangeKeys().signedPrekey);
    expect(await alice.client.devices.checkKeys()).toEqual([{ suite: SUITE, part: 'signedPrekey', mended: true }]);
    expect((await held()).bundle).toEqual(before.bundle);
    expect(await alice.client.devices.checkKeys()).toEqual([]);
    await expectReached('bob');
  });

  it('gets rid of one-time prekeys that it cannot open', async () => {
    const strange = strangeKeys().oneTimePrekeys.slice(0, 3);
    await prekeys().addOneTime(alice.client.device, SUITE, strange, {
      maximum: LIMITS.prekeysPerDevice.value,
      now: Date.now(),
    });
    expect(await alice.client.devices.checkKeys()).toEqual([{ suite: SUITE, part: 'oneTimePrekeys', mended: true }]);
    const { ids } = await held();
    expect(ids.length).toBeGreaterThan(50);
    expect(strange.filter(({ id }) => ids.includes(id))).toEqual([]);
    expect(await alice.client.devices.checkKeys()).toEqual([]);
    await expectReached('bob');
  });

  it('raises an alarm where there is another identity key, and touches nothing', async () => {
    const { identityKey, signedPrekey, oneTimePrekeys } = strangeKeys();
    await prekeys().delete(alice.client.device, SUITE);
    await prekeys().register(alice.client.device, SUITE, { identityKey, signedPrekey }, oneTimePrekeys);
    const before = await held();
    const finding = { suite: SUITE, part: 'identityKey', mended: false };
    expect(await alice.client.devices.checkKeys()).toEqual([finding]);
    expect(await take(alice.client, 'directory-keys', 1)).toEqual([{ kind: 'directory-keys', ...finding }]);
    expect(await held()).toEqual(before);
    const bob = await person('bob');
    await expect((await bob.client.send('alice', 'to whom?')).accepted).rejects.toMatchObject({
      code: 'identity-mismatch',
    });
  });

  it('looks after the keys of each of its suites, hybrid ones too', async () => {
    const carol = await person('carol', { curves: BOTH_CURVES, hybrid: true });
    expect(carol.client.suites).toHaveLength(4);
    expect(await carol.client.devices.checkKeys()).toEqual([]);
    for (const suite of carol.client.suites) await prekeys().delete(carol.client.device, suite);
    expect(await carol.client.devices.checkKeys()).toEqual(
      carol.client.suites.map((suite) => ({ suite, part: 'registration', mended: true })),
    );
    expect(await carol.client.devices.checkKeys()).toEqual([]);
  });

  it('is not misled by a key that is given out between its two questions', async () => {
    alice.network.intercept = async (request, ask) => {
      if (request.url.endsWith('/keys/check')) await prekeys().claim(SUITE, [alice.client.device], Date.now());
      return ask();
    };
    expect(await alice.client.devices.checkKeys()).toEqual([]);
  });

  it('comes through a loss in the middle of mending', async () => {
    const strange = strangeKeys().oneTimePrekeys.slice(0, 1);
    await prekeys().addOneTime(alice.client.device, SUITE, strange, {
      maximum: LIMITS.prekeysPerDevice.value,
      now: Date.now(),
    });
    let posts = 0;
    alice.network.intercept = async (request, ask) => {
      // What it holds, the deletion, and now the registration.
      if (request.url.endsWith('/lime') && ++posts === 3) throw new TypeError('fetch failed');
      return ask();
    };
    await expect(alice.client.devices.checkKeys()).rejects.toMatchObject({ code: 'unreachable' });
    expect(await alice.client.devices.checkKeys()).toEqual([{ suite: SUITE, part: 'registration', mended: true }]);
    await expectReached('bob');
  });
});

/** LIME devices that wait to be admitted to an account, as the SDK sees them (docs/adr/0008); without liblime: see `linphone.test.ts`. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { Lime } from '@sealwire/lime/lime';
import { MemoryLimeStore } from '@sealwire/lime/testing/memory-store';
import { parseDeviceId } from '@sealwire/wire/ids';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, register } from './person.ts';

const SUITE = 'c25519';
let constellation: Constellation;
let bob: Person;
let clients: Person['client'][];

beforeEach(async () => {
  constellation = await startConstellation();
  bob = await register(constellation, 'bob');
  clients = [bob.client];
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
});

const phone = () => parseDeviceId(`${bob.client.address};gr=urn:uuid:phone`);

/** Registers keys as an app password of bob's would; answers the identities. */
async function registerPhone(device = phone()) {
  const store = new MemoryLimeStore();
  const lime = new Lime({ crypto: nodeCrypto(), store, random: systemRandom, now: Date.now });
  const { identityKey, signedPrekey, oneTimePrekeys } = lime.createDevice(device, SUITE);
  const terms = { maximum: 10, now: 7 };
  await constellation.store.waiting.register(device, SUITE, { identityKey, signedPrekey }, oneTimePrekeys, terms);
  return [{ suite: SUITE, identityKey }] as const;
}

const versionOf = async () => (await bob.client.peer(bob.client.address)).manifestVersion;

describe('a waiting device', () => {
  it('is seen with its keys, by all devices of the account, and is none of them yet', async () => {
    const identities = await registerPhone();
    const desk = await join(constellation, bob);
    clients.push(desk.client);
    for (const { client } of [bob, desk]) {
      expect(await client.waitingDevices()).toEqual([{ id: phone(), identities, since: 7 }]);
      expect((await client.devices()).map(({ id }) => id).sort()).toEqual(
        [bob.client.device, desk.client.device].sort(),
      );
    }
  });

  it('is admitted under its keys, and the same again is no error', async () => {
    const identities = await registerPhone();
    await bob.client.admit(phone(), identities);
    await bob.client.admit(phone(), identities);
    expect(await versionOf()).toBe(2);
    expect(await bob.client.waitingDevices()).toEqual([]);
    const alice = await register(constellation, 'alice');
    clients.push(alice.client);
    const { devices } = await alice.client.peer('bob');
    expect(devices).toContainEqual({ id: phone(), identities, trust: 'untrusted' });
  });

  it('is not admitted under other keys than those the user saw: the server may not exchange them', async () => {
    const seen = await registerPhone();
    await constellation.store.prekeys.delete(phone(), SUITE);
    const others = await registerPhone();
    await expect(bob.client.admit(phone(), seen)).rejects.toMatchObject({ code: 'identity-mismatch' });
    expect(await versionOf()).toBe(1);
    await bob.client.admit(phone(), others);
    await expect(bob.client.admit(phone(), seen)).rejects.toMatchObject({ code: 'identity-mismatch' });
  });

  it('has to be there, and of the account', async () => {
    const identities = await registerPhone();
    const nobody = parseDeviceId(`${bob.client.address};gr=urn:uuid:nobody`);
    await expect(bob.client.admit(nobody, identities)).rejects.toMatchObject({ code: 'not-found' });
    const foreign = parseDeviceId('sip:carol@example.org;gr=urn:uuid:phone');
    await expect(bob.client.admit(foreign, identities)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await versionOf()).toBe(1);
  });

  it('is sent away without a new manifest', async () => {
    await registerPhone();
    await bob.client.removeDevice(phone());
    expect(await bob.client.waitingDevices()).toEqual([]);
    expect(await versionOf()).toBe(1);
  });
});

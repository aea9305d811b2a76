/** Local devices: registration, rotation, refill, clean-up (lime-protocol sections 5 and 10). */
import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { codeOf, crypto, DAY, World } from '../testing/world.ts';

const DEVICE = 'sip:new@example.org;gr=urn:uuid:new' as DeviceId;

describe('registration', () => {
  it('gives the same keys until it is activated, also after a restart', () => {
    const alice = new World().person('alice');
    const first = alice.lime.createDevice(DEVICE, 'c448');
    expect(alice.lime.createDevice(DEVICE, 'c448')).toEqual(first);
    alice.restart();
    expect(alice.lime.createDevice(DEVICE, 'c448')).toEqual(first);
    expect(alice.lime.registrationOf(DEVICE)).toEqual(first);
    expect(codeOf(() => alice.lime.createDevice(DEVICE, 'c25519'))).toBe('device-exists');
    alice.lime.activateDevice(DEVICE);
    expect(codeOf(() => alice.lime.createDevice(DEVICE, 'c448'))).toBe('device-exists');
  });

  it('is sound: signature, sizes, ids that liblime can store, each once', () => {
    const alice = new World({ oneTimePrekeysAtRegistration: 100 }).person('alice');
    const { suite, identityKey, signedPrekey, oneTimePrekeys } = alice.lime.createDevice(DEVICE, 'c25519');
    expect(suite).toBe('c25519');
    const { signatures } = crypto.suites.c25519;
    expect(signatures.verify(identityKey, signedPrekey.publicKey, signedPrekey.signature)).toBe(true);
    const ids = [signedPrekey, ...oneTimePrekeys].map(({ id }) => id);
    expect(ids.every((id) => id > 0 && id < 2 ** 31)).toBe(true);
    expect(new Set(oneTimePrekeys.map(({ id }) => id)).size).toBe(100);
    expect(new Set(oneTimePrekeys.map(({ publicKey }) => publicKey.join())).size).toBe(100);
  });

  it('says what the server should hold, once it is registered: the current signed prekey, and all that still opens', () => {
    const world = new World();
    const alice = world.person('alice');
    const created = alice.lime.createDevice(DEVICE, 'c25519');
    expect(codeOf(() => alice.lime.publishedKeys(DEVICE))).toBe('inactive-device');
    alice.lime.activateDevice(DEVICE);
    const { identityKey, signedPrekey, oneTimePrekeys } = created;
    const ids = oneTimePrekeys.map(({ id }) => id);
    expect(alice.lime.publishedKeys(DEVICE)).toEqual({ identityKey, signedPrekey, oneTimePrekeyIds: ids });
    world.now += 8 * DAY;
    const update = alice.lime.update(DEVICE, ids.slice(1));
    const after = alice.lime.publishedKeys(DEVICE);
    expect(after.signedPrekey).toEqual(update.signedPrekey);
    // One was given out: who was given it may still use it.
    expect(after.oneTimePrekeyIds).toEqual(expect.arrayContaining(ids));
  });

  it('registrationOf heals a server that lost the device: same identity and signed prekey, fresh one-time prekeys', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const first = world.directory.get(bob.device)!.registration;
    const underWay = alice.write(bob, 'under way');
    const again = bob.lime.registrationOf(bob.device);
    expect(again.identityKey).toEqual(first.identityKey);
    expect(again.signedPrekey).toEqual(first.signedPrekey);
    expect(again.oneTimePrekeys).toHaveLength(3);
    const ids = new Set([...first.oneTimePrekeys, ...again.oneTimePrekeys].map(({ id }) => id));
    expect(ids.size).toBe(6);
    world.register(bob.device, again);
    expect(bob.read(underWay)).toBe('under way');
    expect(bob.read(world.person('carol').write(bob, 'fresh'))).toBe('fresh');
  });
});

describe('update', () => {
  it('is due after a day, and when the clock was set back', () => {
    const world = new World();
    const alice = world.person('alice');
    expect(alice.lime.updateDue(alice.device)).toBe(false);
    world.now += DAY - 1;
    expect(alice.lime.updateDue(alice.device)).toBe(false);
    world.now += 1;
    expect(alice.lime.updateDue(alice.device)).toBe(true);
    alice.lime.update(alice.device, world.heldOf(alice.device));
    expect(alice.lime.updateDue(alice.device)).toBe(false);
    world.now -= 1;
    expect(alice.lime.updateDue(alice.device)).toBe(true);
  });

  it('refills one-time prekeys below the low limit: at least a batch, at most what is missing', () => {
    const world = new World({ oneTimePrekeysAtRegistration: 6, oneTimePrekeysLow: 5, oneTimePrekeysBatch: 2 });
    const alice = world.person('alice');
    const held = world.heldOf(alice.device);
    const fresh = (ids: number[]) => alice.lime.update(alice.device, ids).oneTimePrekeys.length;
    expect(fresh(held)).toBe(0);
    expect(fresh(held.slice(1))).toBe(0);
    expect(fresh(held.slice(2))).toBe(2);
    expect(fresh(held.slice(4))).toBe(3);
    expect(fresh([])).toBe(5);
  });

  it('ids that are not ours do not count as held', () => {
    const alice = new World().person('alice');
    expect(alice.lime.update(alice.device, [1, 2, 3, 4]).oneTimePrekeys).toHaveLength(3);
  });

  it('a one-time prekey that was given out is kept 37 days from when it was missed', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const [letter, later] = [alice.write(bob, 'slow'), world.person('carol').write(bob, 'slower')];
    bob.lime.update(bob.device, []);
    world.now += 37 * DAY - 1;
    bob.lime.update(bob.device, []);
    // The signed prekey was replaced in that update, and is kept another thirty days.
    expect(bob.read(letter)).toBe('slow');
    world.now += 1;
    bob.lime.update(bob.device, []);
    expect(bob.refusal(later)).toBe('unknown-one-time-prekey');
  });

  it('one that the server lists again is not missed any more', () => {
    const world = new World();
    const bob = world.person('bob');
    const held = world.heldOf(bob.device);
    bob.lime.update(bob.device, []);
    world.now += 36 * DAY;
    bob.lime.update(bob.device, held);
    world.now += 2 * DAY;
    bob.lime.update(bob.device, held);
    const letter = world.person('alice').write(bob, 'with a key that was missed once');
    expect(bob.refusal(letter)).toBe('read');
  });

  it('the signed prekey is replaced after seven days, posted twice, and the old one kept thirty days', () => {
    const world = new World();
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.person(name));
    const old = alice!.write(bob!, 'with the old one');
    const veryLate = carol!.write(bob!, 'too late');
    const update = () => bob!.lime.update(bob!.device, world.heldOf(bob!.device)).signedPrekey;
    world.now += 7 * DAY - 1;
    expect(update()).toBeUndefined();
    world.now += 1;
    const posted = update()!;
    expect(posted.id).not.toBe(world.directory.get(bob!.device)!.registration.signedPrekey.id);
    expect(update()).toEqual(posted);
    expect(update()).toBeUndefined();
    world.now += 30 * DAY;
    // Another rotation is due by now; the first key is at the end of its keeping, not beyond.
    expect(update()!.id).not.toBe(posted.id);
    expect(bob!.read(old)).toBe('with the old one');
    world.now += 1;
    update();
    expect(bob!.refusal(veryLate)).toBe('unknown-signed-prekey');
  });

  it('unknown-device: registers again', () => {
    const world = new World();
    const bob = world.person('bob');
    const { oneTimePrekeys, registerAgain } = bob.lime.update(bob.device, 'unknown-device');
    expect(oneTimePrekeys).toEqual([]);
    expect(registerAgain!.identityKey).toEqual(bob.identityKey);
    expect(registerAgain!.oneTimePrekeys).toHaveLength(3);
    expect(bob.lime.updateDue(bob.device)).toBe(false);
  });
});

/** Two people who compare four characters, and all that may come between: docs/spec/verification.md section 4. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { accountOf } from '@sealwire/wire/ids';
import { Account, VerificationWorld, type VerifyingDevice } from '../testing/verification-world.ts';

let world: VerificationWorld;
let alice: VerifyingDevice;
let bob: VerifyingDevice;
let tablet: VerifyingDevice;

beforeEach(async () => {
  world = new VerificationWorld();
  [alice] = (await world.devices('alice', 1)) as [VerifyingDevice];
  [bob, tablet] = (await world.devices('bob', 1, 2)) as [VerifyingDevice, VerifyingDevice];
  await world.meet();
});

/** Up to the characters. */
async function compare(accepter = bob): Promise<void> {
  await alice.verification.request('bob');
  await world.quiet();
  accepter.verification.accept(accepter.current.id);
  await world.quiet();
}

async function confirm(...devices: VerifyingDevice[]): Promise<void> {
  for (const device of devices) await device.verification.confirm(device.current.id);
  await world.quiet();
}

const steps = ({ told }: VerifyingDevice) => told.map(({ step }) => step);
const endOf = ({ told }: VerifyingDevice) => told.at(-1)?.reason;

describe('two who compare', () => {
  it('see the same characters, and trust each other when both have said so', async () => {
    await compare();
    expect(alice.current).toMatchObject({ step: 'comparing', shortString: expect.stringMatching(/^.{4}$/) });
    expect(bob.current.shortString).toBe(alice.current.shortString);
    await confirm(alice);
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['untrusted', 'untrusted']);
    await confirm(bob);
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['trusted', 'trusted']);
    expect(steps(alice)).toEqual(['exchanging', 'comparing', 'waiting', 'verified']);
    expect(steps(bob)).toEqual(['offered', 'exchanging', 'comparing', 'waiting', 'verified']);
    expect([alice.verification.list(), bob.verification.list()]).toEqual([[], []]);
    expect(tablet.trustIn('alice')).toBe('untrusted');
  });

  it('S68: nobody else is trusted by it, and a comparison that is interrupted changes nothing', async () => {
    await world.devices('carol', 1);
    await world.meet();
    await compare();
    await confirm(alice);
    await bob.verification.cancel(bob.current.id);
    await world.quiet();
    expect([endOf(alice), endOf(bob)]).toEqual(['cancelled', 'cancelled']);
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['untrusted', 'untrusted']);
    await compare();
    await confirm(alice, bob);
    expect([alice.trustIn('bob'), alice.trustIn('carol')]).toEqual(['trusted', 'untrusted']);
  });

  it('the first device that accepts has it; the others hear of it, and who comes later is told', async () => {
    await alice.verification.request('bob');
    await world.quiet();
    expect([bob.current.step, tablet.current.step]).toEqual(['offered', 'offered']);
    tablet.verification.accept(tablet.current.id);
    await world.quiet();
    expect([tablet.current.step, bob.current.step, endOf(bob)]).toEqual(['comparing', 'ended', 'elsewhere']);
    expect(alice.current.device).toBe(tablet.id);
  });

  it('two devices that accept at the same moment: one has it, the other is told', async () => {
    await alice.verification.request('bob');
    await world.quiet();
    await alice.book.setTrust(tablet.id, 'trusted');
    // Neither hears of the other's word.
    world.tamper = (message, from, to) => ([bob.id, tablet.id].includes(to) && from !== alice.id ? undefined : message);
    bob.verification.accept(bob.current.id);
    tablet.verification.accept(tablet.current.id);
    await world.quiet();
    expect([bob.current.step, tablet.current.step, endOf(tablet)]).toEqual(['comparing', 'ended', 'elsewhere']);
  });

  it('both ask at once: one of the two comparisons takes place', async () => {
    await Promise.all([alice.verification.request('bob'), bob.verification.request('alice')]);
    await world.quiet();
    expect(alice.current).toMatchObject({ step: 'requested' });
    expect(bob.current).toMatchObject({ step: 'offered', id: alice.current.id });
    bob.verification.accept(bob.current.id);
    await world.quiet();
    await confirm(bob, alice);
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['trusted', 'trusted']);
  });

  it('a lost link costs time and no word, and what comes twice changes nothing', async () => {
    await alice.verification.request('bob');
    await world.quiet();
    bob.online = false;
    bob.verification.accept(bob.current.id);
    await world.quiet();
    expect(alice.current.step).toBe('requested');
    bob.online = true;
    bob.dialogues.online();
    await world.quiet();
    expect(alice.current.step).toBe('comparing');
    alice.online = false;
    await confirm(alice, bob);
    // Verified here, and the last word has not left: it does.
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['trusted', 'untrusted']);
    alice.online = true;
    await world.time.pass(5_000);
    await world.quiet();
    expect(bob.trustIn('alice')).toBe('trusted');
  });

  it('each word twice, as after an answer that was lost', async () => {
    const { send } = world;
    world.send = async (from, message) => {
      await send.call(world, from, message);
      return send.call(world, from, message);
    };
    await compare();
    await confirm(alice, bob);
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['trusted', 'trusted']);
    expect(steps(alice)).toEqual(['exchanging', 'comparing', 'waiting', 'verified']);
  });

  it('are done within five minutes, or not at all', async () => {
    await compare();
    await confirm(alice);
    await world.time.pass(5 * 60_000);
    await world.quiet();
    expect([endOf(alice), endOf(bob)]).toEqual(['late', 'late']);
    expect(bob.trustIn('alice')).toBe('untrusted');
    expect(world.time.pending).toBe(0);
    await expect(bob.verification.confirm(bob.current.id)).rejects.toMatchObject({ code: 'verification-over' });
  });

  it('one at a time: a second request is refused here, and answered there', async () => {
    await compare();
    await expect(alice.verification.request('bob')).rejects.toMatchObject({ code: 'verification-busy' });
    await bob.book.setTrust(alice.id, 'trusted');
    const [laptop] = [await world.device(world.account('alice'), 2)];
    world.account('alice').publish([1, 2]);
    await bob.book.refresh(world.account('alice').address);
    await laptop!.verification.request('bob');
    await world.quiet();
    expect(laptop!.told.at(-1)).toMatchObject({ step: 'ended', reason: 'busy' });
    expect(bob.current.step).toBe('comparing');
  });

  it('a LIME device of somebody else is not asked: it would show it as a message', async () => {
    world.account('dora').publish([9]);
    await expect(alice.verification.request('dora')).rejects.toMatchObject({ code: 'bad-request' });
    await expect(alice.verification.request('alice')).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('what fills the list of requests is not heard of', async () => {
    for (let n = 0; n < 18; n++) {
      const [device] = (await world.devices(`crowd${n}`, 1)) as [VerifyingDevice];
      await device.book.refresh(accountOf(device.id));
      await bob.book.refresh(accountOf(device.id));
      await device.verification.request('bob');
    }
    await world.quiet();
    expect(bob.verification.list()).toHaveLength(16);
  });
});

describe('T168: somebody who changes what is said', () => {
  it('S64: another key than the one that was committed to ends it', async () => {
    world.tamper = (message) => (message.kind === 'reveal' ? { ...message, key: STRAY } : message);
    await compare();
    expect([endOf(alice), endOf(bob)]).toEqual(['forged', 'forged']);
  });

  it('S64: two commitments, two keys: the second one ends it', async () => {
    await compare();
    const id = Buffer.from(alice.current.id, 'base64url');
    world.tamper = (message) =>
      message.kind === 'cancel' ? { kind: 'accept', id, commitment: new Uint8Array(32) } : message;
    await bob.verification.cancel(bob.current.id);
    await world.quiet();
    expect(endOf(alice)).toBe('forged');
  });

  it('a key of small order, of which the secret is known beforehand', async () => {
    world.tamper = (message) => (message.kind === 'key' ? { ...message, key: new Uint8Array(32) } : message);
    await compare();
    expect(endOf(bob)).toBe('forged');
  });

  it('a confirmation that its side has not made: nobody is trusted', async () => {
    await compare();
    world.tamper = (message) => (message.kind === 'confirm' ? { ...message, version: message.version + 1 } : message);
    await confirm(alice, bob);
    expect([endOf(alice), alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['forged', 'untrusted', 'untrusted']);
  });

  it('a key before it was accepted, and a confirmation before there are characters', async () => {
    const id = () => Buffer.from(bob.current.id, 'base64url');
    for (const out of [
      () => ({ kind: 'key', id: id(), key: STRAY }) as const,
      () => ({ kind: 'confirm', id: id(), version: 1, digest: STRAY, mac: STRAY }) as const,
    ]) {
      await alice.verification.request('bob');
      await world.quiet();
      world.tamper = (message, _from, to) => (to === bob.id && message.kind === 'cancel' ? out() : message);
      await alice.verification.cancel(alice.current.id);
      await world.quiet();
      expect(endOf(bob)).toBe('forged');
      world.tamper = (message) => message;
    }
  });

  it('S67: five comparisons in a day that came as far as the keys, whoever ended them; then none, until the day is over', async () => {
    for (let n = 0; n < 5; n++) {
      await compare();
      await bob.verification.cancel(bob.current.id);
      await world.quiet();
    }
    await expect(alice.verification.request('bob')).rejects.toMatchObject({ code: 'verification-locked' });
    await bob.verification.request('alice').catch((error) => expect(error.code).toBe('verification-locked'));
    await world.quiet();
    expect(alice.verification.list()).toEqual([]);
    await world.time.pass(24 * 60 * 60_000);
    await compare();
    await confirm(alice, bob);
    expect(alice.trustIn('bob')).toBe('trusted');
  });

  it('S67: requests that were declined before any key was shown cost nothing', async () => {
    for (let n = 0; n < 7; n++) {
      await alice.verification.request('bob');
      await world.quiet();
      await bob.verification.cancel(bob.current.id);
      await world.quiet();
    }
    expect(endOf(alice)).toBe('cancelled');
  });
});

describe('T168: a server in the middle', () => {
  it('shows each another account key: the characters differ, and who says so sends nothing more', async () => {
    const mallory = new Account('bob', 'mallory');
    const listed = mallory.publish([1, 2]);
    [alice] = (await world.devices('ann', 1)) as [VerifyingDevice];
    alice.lies.set(listed.address, listed);
    await world.meet();
    await alice.verification.request('bob');
    await world.quiet();
    bob.verification.accept(bob.current.id);
    await world.quiet();
    expect(alice.current.shortString).not.toBe(bob.current.shortString);
    await alice.verification.different(alice.current.id);
    await world.quiet();
    expect([endOf(bob), alice.trustIn('bob')]).toEqual(['different', 'unsafe']);
    await expect(alice.verification.request('bob')).rejects.toMatchObject({ code: 'unsafe-device' });
  });

  it('shows each another account key, and they do not look: the confirmations differ', async () => {
    const listed = new Account('bob', 'mallory').publish([1, 2]);
    const [ann] = (await world.devices('ann', 1)) as [VerifyingDevice];
    ann!.lies.set(listed.address, listed);
    await world.meet();
    await ann!.verification.request('bob');
    await world.quiet();
    bob.verification.accept(bob.current.id);
    await world.quiet();
    await confirm(ann!, bob);
    expect([endOf(ann!), endOf(bob)]).toEqual(['forged', 'forged']);
    expect([ann!.trustIn('bob'), bob.trustIn('ann')]).toEqual(['untrusted', 'untrusted']);
  });

  it('hides a device: the newer list that its owner has is not shown here', async () => {
    const old = world.account('bob').newest;
    world.account('bob').publish([1, 2, 3]);
    await bob.book.refresh(world.account('bob').address);
    alice.lies.set(old.address, old);
    await compare();
    await confirm(alice, bob);
    expect([endOf(alice), alice.trustIn('bob')]).toEqual(['hidden-list', 'untrusted']);
    alice.lies.clear();
    await compare();
    await confirm(alice, bob);
    expect([alice.trustIn('bob'), bob.trustIn('alice')]).toEqual(['trusted', 'trusted']);
  });

  it('shows another list under the same number, signed by a key that was stolen', async () => {
    const copy = new Account('bob');
    copy.publish([1, 2]);
    copy.publish([1, 2, 4]);
    world.account('bob').publish([1, 2, 3]);
    alice.lies.set(copy.address, copy.newest);
    await world.meet();
    await compare();
    await confirm(alice, bob);
    expect([endOf(alice), alice.trustIn('bob')]).toEqual(['forked-list', 'untrusted']);
  });

  it('a list that the verified key signs later is trusted with its new devices', async () => {
    await compare();
    await confirm(alice, bob);
    world.account('bob').publish([1, 2, 3]);
    await alice.book.refresh(world.account('bob').address);
    expect(alice.book.find(world.account('bob').address)!.manifest.devices).toHaveLength(3);
    expect(alice.trustIn('bob')).toBe('trusted');
  });
});

const STRAY = new Uint8Array(32).fill(9);

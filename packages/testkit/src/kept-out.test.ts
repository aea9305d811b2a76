/** Devices that policy keeps out of a message, where the others are to get it: docs/spec/verification.md section 6. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { Company } from './company.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { type Person, runtimeOver, take, takeTexts } from './person.ts';

const LEAVE_OUT = { onKeptOut: 'leave-out' } as const;
const company = new Company();
let alice: Person;
let bob: Person;
let tablet: Person;

/** bob has two devices, of which alice holds the tablet for unsafe. */
beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
  tablet = await company.anotherDevice(bob);
  await alice.client.trust.peer('bob');
  await alice.client.trust.set(tablet.client.device, 'unsafe');
});

function partsSent(): Record<string, boolean> {
  const { parts } = alice.network.framesSent('send').at(-1)!;
  return Object.fromEntries(parts.map(({ device, content }) => [device, content.length > 0]));
}

describe('T189: devices that are kept out', () => {
  it('refuse a message, unless it is to leave them out: the others get it, they get nothing to open', async () => {
    await expect(alice.client.send('bob', 'to nobody')).rejects.toMatchObject({ code: 'unsafe-device' });
    const { accepted, id } = await alice.client.send('bob', 'to one', LEAVE_OUT);
    expect(await accepted).toEqual({ leftOut: [], keptOut: [tablet.client.device] });
    expect(await takeTexts(bob.client, 1)).toEqual(['to one']);
    expect(await take(tablet.client, 'undecryptable', 1)).toMatchObject([{ code: 'no-content' }]);
    expect(partsSent()).toEqual({ [bob.client.device]: true, [tablet.client.device]: false });
    const [skipped] = await take(alice.client, 'device-skipped', 1);
    expect(skipped).toMatchObject({ id, device: tablet.client.device, reason: 'unsafe' });
  });

  it('are asked for again once the user trusts them, and the choice is one that there is', async () => {
    await (await alice.client.send('bob', 'to one', LEAVE_OUT)).accepted;
    await alice.client.trust.set(tablet.client.device, 'untrusted');
    expect(await (await alice.client.send('bob', 'to both', LEAVE_OUT)).accepted).toMatchObject({ keptOut: [] });
    expect(await takeTexts(tablet.client, 1)).toEqual(['to both']);
    const none = { onKeptOut: 'perhaps' as never };
    await expect(alice.client.send('bob', 'x', none)).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('are all that there are: refused by whatever choice', async () => {
    await alice.client.trust.set(bob.client.device, 'unsafe');
    await expect(alice.client.send('bob', 'x', LEAVE_OUT)).rejects.toMatchObject({ code: 'unsafe-device' });
    await alice.client.trust.set(bob.client.device, 'untrusted');
    await alice.client.trust.set(tablet.client.device, 'untrusted');
    await alice.client.trust.policy.set('trusted-only');
    await expect(alice.client.send('bob', 'x', LEAVE_OUT)).rejects.toMatchObject({ code: 'untrusted-device' });
    // Found out when it is encrypted.
    await alice.client.trust.policy.set('everyone');
    alice.network.up = false;
    alice.network.cut();
    const { accepted } = await alice.client.send('bob', 'x', LEAVE_OUT);
    await alice.client.trust.policy.set('trusted-only');
    alice.network.up = true;
    await expect(accepted).rejects.toMatchObject({ code: 'untrusted-device' });
    expect(alice.network.framesSent('send')).toEqual([]);
  });

  it('are left out of a note to self and of trusted-only groups, each with its reason', async () => {
    const laptop = await company.anotherDevice(alice);
    const desk = await company.anotherDevice(alice);
    await alice.client.trust.set(laptop.client.device, 'unsafe');
    expect(await (await alice.client.send('alice', 'a note', LEAVE_OUT)).accepted).toMatchObject({
      keptOut: [laptop.client.device],
    });
    expect(await takeTexts(desk.client, 1)).toEqual(['a note']);
    await alice.client.trust.set(laptop.client.device, 'untrusted');

    const carol = await company.person('carol');
    await alice.client.trust.set(tablet.client.device, 'untrusted');
    await alice.client.trust.set(bob.client.device, 'trusted');
    const { address } = await alice.client.groups.create('trio', ['bob', 'carol']);
    for (const { client } of [bob, carol]) {
      await take(client, 'group-invited', 1);
      await client.groups.join(address);
      await client.outbox.emptied();
    }
    const joined = await take(alice.client, 'group-changed', 2);
    expect(joined.map(({ change }) => change.kind)).toEqual(['joined', 'joined']);
    await alice.client.trust.policy.set('trusted-only');
    await expect((await alice.client.send(address, 'to some', LEAVE_OUT)).accepted).resolves.toMatchObject({
      keptOut: expect.arrayContaining([tablet.client.device, carol.client.device]),
    });
    expect(await takeTexts(bob.client, 1)).toEqual(['to some']);
    expect(await take(alice.client, 'device-skipped', 2)).toMatchObject([
      { reason: 'untrusted', text: expect.stringContaining('only trusted devices are sent to') },
      { reason: 'untrusted' },
    ]);
  });
});

describe('T190: the choice goes with the message', () => {
  it('to a device that joins meanwhile, in the attempt that the relay asks for', async () => {
    await alice.client.trust.set(bob.client.device, 'trusted');
    await alice.client.trust.set(tablet.client.device, 'trusted');
    await alice.client.trust.policy.set('trusted-only');
    const phone = await company.anotherDevice(bob);
    const { accepted } = await alice.client.send('bob', 'to two of three', LEAVE_OUT);
    expect(await accepted).toEqual({ leftOut: [], keptOut: [phone.client.device] });
    expect(alice.network.framesReceived('rejected')).toMatchObject([{ code: 'device-mismatch' }]);
    expect(await takeTexts(tablet.client, 1)).toEqual(['to two of three']);
  });

  it('through a restart with another default, which holds for what has no choice of its own', async () => {
    await alice.client.close();
    const open = (storage: MemoryStorage, onKeptOut: 'refuse' | 'leave-out') =>
      Client.open({ storage, runtime: runtimeOver(new FlakyNetwork()), onKeptOut });
    const storage = alice.storage as MemoryStorage;
    const bot = await open(storage, 'leave-out');
    await bot.send('bob', 'by the bot');
    await expect(bot.send('bob', 'by its user', { onKeptOut: 'refuse' })).rejects.toMatchObject({
      code: 'unsafe-device',
    });
    await bot.close();
    const later = await open(storage, 'refuse');
    company.people.push({ ...alice, client: later });
    await later.connect();
    await later.outbox.emptied();
    expect(await takeTexts(bob.client, 1)).toEqual(['by the bot']);
    expect(await take(later, 'device-skipped', 1)).toMatchObject([{ device: tablet.client.device, reason: 'unsafe' }]);
    await expect(later.send('bob', 'by its user')).rejects.toMatchObject({ code: 'unsafe-device' });
  });
});

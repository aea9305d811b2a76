/**
 * A server that was restored from a backup while its clients went on (docs/adr/0028): what they know better it gets back from them, and
 * nothing that was sent meanwhile is dropped. The folder of a stopped server is copied, and put in the place of the newer one.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@sealwire/client/client';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { markRestored } from '@sealwire/store/backing-up';
import { openLmdbStore } from '@sealwire/store/lmdb';
import { LIMITS } from '@sealwire/wire/limits';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, join, type Person, register, take, takeTexts } from './person.ts';

jest.setTimeout(60_000);

const LONGEST_PAUSE_MS = 60_000;
/** Of a welcome, of a ping, of an answer. */
const DEADLINES = [15_000, LIMITS.pingEveryMs.value, 30_000];

let folder: string;
let constellation: Constellation;
let alice: Person;
let bob: Person;
let clients: Client[];

beforeEach(async () => {
  folder = mkdtempSync(joinPath(tmpdir(), 'sealwire-restored-'));
  constellation = await startConstellation({ store: await openLmdbStore({ path: at('live') }) });
  clients = [];
  alice = await person('alice');
  bob = await person('bob');
  await say(alice, bob, 'before the backup');
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
  await constellation.store.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string) => joinPath(folder, name);

async function person(name: string): Promise<Person> {
  return online(await register(constellation, name));
}

async function online(made: Person): Promise<Person> {
  hurry(made);
  clients.push(made.client);
  await made.client.connect();
  return made;
}

/** A server that takes seconds to come back is no long outage here: pauses are over at once, deadlines are what they are. */
function hurry({ runtime }: Person): void {
  const { after } = runtime.timers!;
  const isPause = (ms: number) => ms <= LONGEST_PAUSE_MS && !DEADLINES.includes(ms);
  Object.assign(runtime.timers!, {
    after: ((ms, run) => after(isPause(ms) ? Math.min(ms, 30) : ms, run)) as typeof after,
  });
}

async function secondDeviceOf(owner: Person): Promise<Person> {
  return online(await join(constellation, owner));
}

async function say(from: Person, to: Person, text: string): Promise<void> {
  await (await from.client.send(to.client.address, text)).accepted;
  expect(await takeTexts(to.client, 1)).toEqual([text]);
}

async function stopped(work: () => void): Promise<void> {
  await constellation.stop();
  await constellation.store.close();
  work();
  await constellation.start(await openLmdbStore({ path: at('live') }));
}

const backUp = () => stopped(() => cpSync(at('live'), at('backup'), { recursive: true }));

const restore = () =>
  stopped(() => {
    rmSync(at('live'), { recursive: true });
    cpSync(at('backup'), at('live'), { recursive: true });
  });

/** Not to be reached until `cameBack`. Its process lives. */
async function goAway(who: Person): Promise<void> {
  await who.client.close();
}

async function cameBack(who: Person): Promise<Person> {
  return online(await afterCrash(who));
}

const versionAtServer = async (who: Person) =>
  (await constellation.store.manifests.newest(who.client.address))?.version;

async function listedAgain(who: Person, version: number): Promise<void> {
  while ((await versionAtServer(who)) !== version) await turn();
}

const hasKeys = async ({ client }: Person) =>
  (await constellation.store.prekeys.find('c25519', [client.device]))[0] !== undefined;

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('devices that joined after the backup', () => {
  it('are listed again, by whichever device is online, and get what was written meanwhile', async () => {
    await backUp();
    const laptop = await secondDeviceOf(bob);
    await say(alice, laptop, 'to two devices');
    expect(await takeTexts(bob.client, 1)).toEqual(['to two devices']);
    await restore();
    await (await alice.client.send('bob', 'after the restore')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['after the restore']);
    expect(await takeTexts(laptop.client, 1)).toEqual(['after the restore']);
    await say(laptop, alice, 'and back');
    expect(await versionAtServer(bob)).toBe(2);
    // Somebody new finds keys of both, as soon as the second one has brought its own again.
    while (!(await hasKeys(laptop))) await turn();
    const carol = await person('carol');
    await (await carol.client.send('bob', 'hello')).accepted;
    expect(await takeTexts(laptop.client, 1)).toEqual(['hello']);
  });

  it('are listed again with all versions in between, by a device that was the last to join', async () => {
    await backUp();
    await secondDeviceOf(bob);
    await secondDeviceOf(bob);
    const last = await secondDeviceOf(bob);
    await (await alice.client.send('bob', 'to four devices')).accepted;
    while ((await historyOf(last)) < 3) await turn();
    for (const client of clients.filter(
      ({ address, device }) => address === bob.client.address && device !== last.client.device,
    ))
      await client.close();
    await restore();
    await listedAgain(bob, 4);
    expect((await alice.client.trust.peer('bob')).devices).toHaveLength(4);
  });

  it('senders queue while nobody can give the list back, and lose nothing', async () => {
    await backUp();
    const laptop = await secondDeviceOf(bob);
    await say(alice, laptop, 'to two devices');
    await goAway(bob);
    await goAway(laptop);
    await restore();
    const { id, accepted } = await alice.client.send('bob', 'nobody is there');
    expect(await take(alice.client, 'send-waits', 1)).toMatchObject([
      { code: 'manifest-rollback', text: expect.stringContaining('one of their devices connects') },
    ]);
    expect(alice.client.outbox.pending()).toBe(1);
    expect(alice.client.outbox.refusalOf(id)).toMatchObject({ code: 'manifest-rollback' });
    let letAsk = () => {};
    const mayAsk = new Promise<void>((resolve) => {
      letAsk = resolve;
    });
    alice.network.intercept = (_request, ask) => mayAsk.then(ask);
    const back = await cameBack(laptop);
    await listedAgain(bob, 2);
    letAsk();
    await accepted;
    expect(await takeTexts(back.client, 1)).toEqual(['nobody is there']);
    expect(alice.client.outbox.refusalOf(id)).toBeUndefined();
  });

  it('S38: an older list is never encrypted to, whatever a relay accepts', async () => {
    await backUp();
    const laptop = await secondDeviceOf(bob);
    await say(alice, laptop, 'to two devices');
    await goAway(bob);
    await goAway(laptop);
    await restore();
    const mailbox = () => constellation.store.mailboxes.usage(bob.client.device);
    const before = await mailbox();
    await alice.client.send('bob', 'for two devices, or for none');
    await take(alice.client, 'send-waits', 1);
    const devices = alice.network.framesSent('send').map(({ parts }) => parts.map(({ device }) => device));
    expect(devices.at(-1)).toEqual(expect.arrayContaining([bob.client.device, laptop.client.device]));
    expect(await mailbox()).toEqual(before);
  });
});

describe('S45: a device that was removed after the backup', () => {
  it('is removed again, and nobody writes to it', async () => {
    const laptop = await secondDeviceOf(bob);
    await backUp();
    await bob.client.devices.remove(laptop.client.device);
    await say(alice, bob, 'to one device');
    await restore();
    await listedAgain(bob, 3);
    await say(alice, bob, 'still to one device');
    expect(await constellation.store.devices.find(laptop.client.device)).toBeUndefined();
  });
});

describe('what a mailbox had', () => {
  it('comes again, is shown once, and what is new arrives under numbers that were used before', async () => {
    await backUp();
    for (const text of ['one', 'two', 'three']) await say(alice, bob, text);
    await restore();
    for (const text of ['four', 'five']) await say(alice, bob, text);
    await say(bob, alice, 'all there');
  });

  it('what was waiting in the backup, and has been read since, is not shown again', async () => {
    bob.network.outgoing = (frame) => (frame.kind === 'ack' ? undefined : frame);
    await say(alice, bob, 'not acknowledged');
    await backUp();
    bob.network.outgoing = (frame) => frame;
    await say(alice, bob, 'acknowledged');
    await restore();
    await say(alice, bob, 'after the restore');
  });
});

describe('keys', () => {
  const held = (who: Person) => constellation.store.prekeys.listOneTime(who.client.device, 'c25519');

  it('that were used after the backup are not handed out again: the next stranger is understood', async () => {
    await backUp();
    const before = await held(bob);
    await say(await person('carol'), bob, 'this took the oldest key');
    await restore();
    expect(await held(bob)).toEqual(before);
    expect(await take(bob.client, 'directory-keys', 1)).toMatchObject([{ mended: true }]);
    while ((await held(bob)).some((id) => before.includes(id))) await turn();
    await say(await person('dave'), bob, 'this one is understood');
  });
});

describe('an account that was made after the backup', () => {
  it('is told so, and is made again by the same registration, with the same keys and devices', async () => {
    await backUp();
    let carol = await person('carol');
    let tablet = await secondDeviceOf(carol);
    while ((await historyOf(carol)) < 1) await turn();
    await say(alice, tablet, 'to both of carol');
    await takeTexts(carol.client, 1);
    await restore();
    const lost = { code: 'account-lost', message: expect.stringContaining('restored from a backup') };
    await expect(stoppedReason(carol)).resolves.toMatchObject(lost);
    await expect(stoppedReason(tablet)).resolves.toMatchObject(lost);
    for (const { client } of [carol, tablet]) await client.close();

    const storage = (carol.storage as MemoryStorage).copy();
    const { runtime } = carol;
    const again = await Client.register({ server: constellation.origin, name: 'carol', storage, runtime });
    expect(again.device).toBe(carol.client.device);
    carol = await online({ ...carol, client: again, storage });
    tablet = await cameBack(tablet);
    await (await alice.client.send('carol', 'welcome back')).accepted;
    expect(await takeTexts(carol.client, 1)).toEqual(['welcome back']);
    expect(await takeTexts(tablet.client, 1)).toEqual(['welcome back']);
  });

  it('is not made again while the server knows it', async () => {
    const { runtime } = bob;
    await bob.client.close();
    const storage = (bob.storage as MemoryStorage).copy();
    await expect(
      Client.register({ server: constellation.origin, name: 'bob', storage, runtime }),
    ).rejects.toMatchObject({ code: 'already-registered' });
  });
});

describe('a server that was restored by its own command', () => {
  const held = (who: Person) => constellation.store.prekeys.listOneTime(who.client.device, 'c25519');

  it('K12: tells each mailbox, hands out no key of before, and gets new ones from whoever connects', async () => {
    await backUp();
    const before = await held(bob);
    await say(await person('carol'), bob, 'this took the oldest key');
    await stopped(() => {
      rmSync(at('live'), { recursive: true });
      cpSync(at('backup'), at('live'), { recursive: true });
    });
    await constellation.stop();
    await constellation.store.close();
    expect(await markRestored(at('live'), Date.now())).toMatchObject({ mailboxes: 2 });
    await constellation.start(await openLmdbStore({ path: at('live') }));
    expect(await take(bob.client, 'gap', 1)).toMatchObject([{ count: 0, reason: 'damaged' }]);
    while ((await held(bob)).length === 0) await turn();
    expect((await held(bob)).filter((id) => before.includes(id))).toEqual([]);
    await say(await person('dave'), bob, 'this one is understood');
    await say(alice, bob, 'and the one of before goes on');
    await say(bob, alice, 'both ways');
  });
});

/** How many older versions of its own account's manifest a device keeps. */
async function historyOf({ storage }: Person): Promise<number> {
  return [...(await (storage as MemoryStorage).copy().load()).keys()].filter((key) => key.startsWith('own/')).length;
}

async function stoppedReason({ client }: Person): Promise<unknown> {
  try {
    for await (const _ of client.messages());
  } catch (error) {
    return error;
  }
  return undefined;
}

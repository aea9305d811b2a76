/** What others can make this device do is bounded, over restarts too, and nobody gets what was not for it (docs/spec/healing.md). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { decodeContent, encodeContent } from '@sealwire/wire/envelope';
import { accountOf, parseMessageId } from '@sealwire/wire/ids';
import type { Engines } from '../../engines/engines.ts';
import { Ledger } from '../../storage/ledger.ts';
import { MemoryStorage } from '../../storage/memory-storage.ts';
import { ALICE, BOB, deviceOf, ME } from '../../testing/chain-world.ts';
import { OutgoingChains } from '../chain/outgoing-chains.ts';
import { forgetKept, KEPT_BYTES, KEPT_MESSAGES, KEPT_MS, KeptMessages, writeUnshown } from './kept-messages.ts';
import { Repeats } from './repeats.ts';
import { UnreadMessages } from './unread-messages.ts';

const HOUR = 60 * 60_000;
const PHONE = deviceOf('bob', 1);
const TABLET = deviceOf('bob', 2);
const idOf = (n: number) => parseMessageId(new Uint8Array(16).fill(n % 256, 0, 8).fill(n >> 8, 8));

let now: number;
let storage: MemoryStorage;
let ledger: Ledger;
let retired: string[];
let unread: UnreadMessages;
let kept: KeptMessages;
let repeats: Repeats;

beforeEach(async () => {
  now = 1_000 * HOUR;
  storage = new MemoryStorage();
  retired = [];
  await open();
});

/** A new process, over what is stored. */
async function open(): Promise<void> {
  storage = storage.copy();
  ledger = await Ledger.open(storage);
  const engines = { retireSession: (device: string) => retired.push(device) } as unknown as Engines;
  unread = new UnreadMessages(ledger, engines, () => now);
  kept = new KeptMessages(() => now);
  repeats = new Repeats(ledger, kept, new OutgoingChains(ledger, nodeCrypto(), ME), () => now);
}

const fails = (n: number, device = PHONE, answers = true) =>
  ledger.commit((transaction) =>
    unread.failed(transaction, { device, id: encodeBase64url(idOf(n)), code: 'duplicate', answers }),
  );
const reads = (device = PHONE) => ledger.commit((transaction) => unread.read(transaction, device));
const asks = (device = PHONE, ids = unread.request(device)) =>
  ledger.commit((transaction) => {
    unread.spend(transaction, device);
    unread.asked(transaction, device, ids ?? []);
  });

describe('a device that cannot read', () => {
  it('begins one new session for all that was under way, is told once, and asks for each', async () => {
    const failures = [await fails(1), await fails(2), await fails(3)];
    expect(failures.map(({ asked }) => asked)).toEqual([true, true, true]);
    expect(failures.flatMap(({ events }) => events)).toEqual([
      { kind: 'session-restarted', device: PHONE, code: 'duplicate', asked: true },
    ]);
    expect(retired).toEqual([PHONE]);
    await open();
    expect(unread.due()).toEqual([PHONE]);
    expect(unread.request(PHONE)).toEqual([idOf(1), idOf(2), idOf(3)]);
    await asks();
    expect(unread.due()).toEqual([]);
    expect(await ledger.commit((transaction) => unread.arrived(transaction, PHONE, idOf(2)))).toBe(true);
    expect(await ledger.commit((transaction) => unread.arrived(transaction, PHONE, idOf(2)))).toBe(false);
    const settled = (gone: Uint8Array[], moot: Uint8Array[]) =>
      ledger.commit((transaction) => unread.settled(transaction, PHONE, gone, moot));
    expect(await settled([idOf(1), idOf(9)], [])).toEqual([{ kind: 'messages-gone', device: PHONE, messages: 1 }]);
    expect(unread.list()).toEqual([{ device: PHONE, messages: 1 }]);
    expect(await settled([], [idOf(3)])).toEqual([]);
    expect(unread.list()).toEqual([]);
  });

  it('is made to begin three sessions an hour with a device at most, and twelve a day with an account', async () => {
    let restarts = 0;
    for (let hour = 0; hour < 24; hour++) {
      for (let n = 0; n < 20; n++) {
        for (const device of [PHONE, TABLET]) {
          restarts += (await fails(n, device)).events.length;
          await reads(device);
        }
        if (n % 5 === 0) await open();
      }
      if (hour === 0) expect(restarts).toBe(6);
      now += HOUR;
    }
    expect(restarts).toBe(12);
    expect(retired).toHaveLength(12);
  });

  it('asks for any number of messages, sixty-four at a time, and tells what is beyond its memory at once', async () => {
    const asked: boolean[] = [];
    for (let n = 0; n < 514; n++) asked.push((await fails(n)).asked);
    expect(asked.filter(Boolean)).toHaveLength(512);
    expect(asked.slice(-2)).toEqual([false, false]);
    for (let n = 0; n < 8; n++) {
      expect(unread.due()).toEqual([PHONE]);
      expect(unread.request(PHONE)?.length).toBe(64);
      await asks();
    }
    expect(unread.due()).toEqual([]);
  });

  it('asks twelve times an hour at most, and three times for one message', async () => {
    for (let n = 0; n < 64; n++) await fails(n);
    const asksAgain = () => ledger.commit((transaction) => unread.askAgain(transaction, PHONE));
    for (const again of [true, true, false]) {
      expect(unread.request(PHONE)).toHaveLength(64);
      await asks();
      expect(unread.request(PHONE)).toEqual([]);
      expect(await asksAgain()).toBe(again);
    }
    for (let n = 0; n < 9; n++) await asks();
    expect(unread.request(PHONE)).toBeUndefined();
    now += HOUR;
    expect(unread.request(PHONE)).toEqual([]);
  });

  it('takes no account of a clock that was ahead', async () => {
    now += 10_000 * HOUR;
    for (let n = 0; n < 9; n++) {
      await fails(n);
      await reads();
    }
    now -= 10_000 * HOUR;
    expect((await fails(10)).events).toHaveLength(1);
  });

  it('tries another session when nothing was read in the new one for an hour', async () => {
    await fails(1);
    now += HOUR;
    expect((await fails(2)).events).toHaveLength(1);
    expect(retired).toHaveLength(2);
  });

  it('asks no device whose program knows no requests, and begins a session all the same', async () => {
    const { asked, events } = await fails(1, PHONE, false);
    expect([asked, events, retired]).toEqual([false, [expect.objectContaining({ asked: false })], [PHONE]]);
    expect([unread.due(), unread.list()]).toEqual([[], []]);
  });

  it('asks for what was beyond the allowance as soon as the session is good', async () => {
    for (let n = 1; n <= 3; n++) {
      await fails(n);
      await reads();
      await asks();
    }
    expect(await fails(4)).toEqual({ asked: false, events: [] });
    expect(unread.due()).toEqual([]);
    expect(await reads()).toBe(true);
    expect(unread.due()).toEqual([PHONE]);
  });

  it('begins a session whenever the user says so', async () => {
    for (let n = 0; n < 9; n++) {
      await fails(n);
      await reads();
      await asks();
    }
    await ledger.commit((transaction) => unread.reset(transaction, PHONE, true));
    expect(retired).toHaveLength(4);
    expect(unread.due()).toEqual([PHONE]);
    expect(unread.request(PHONE)).toHaveLength(9);
  });
});

describe('what was sent', () => {
  const plaintextOf = (number: number, size = 1) =>
    encodeContent({
      type: 'text/plain',
      body: new Uint8Array(size),
      sentAt: 1,
      id: `m${number}`,
      link: { number, newcomers: [] },
    });
  const keep = (n: number, devices = [PHONE], size = 1, conversation = BOB) =>
    ledger.commit((transaction) =>
      kept.keep(transaction, {
        conversation,
        number: n,
        id: encodeBase64url(idOf(n)),
        relayIds: [encodeBase64url(idOf(n + 100))],
        devices,
        plaintext: plaintextOf(n, size),
      }),
    );
  const requested = (device: typeof PHONE, ...ids: number[]) =>
    ledger.commit((transaction) => repeats.requested(transaction, device, ids.map(idOf)));
  const waiting = () =>
    repeats.waiting(BOB).map(({ device, content, shown }) => ({ device, shown, ...decodeContent(content) }));

  it('goes again to the device that asks, as it was, with the id that it asked for', async () => {
    await keep(1);
    await keep(2);
    const { events, waiting: accounts } = await requested(PHONE, 101, 2);
    const ids = [1, 2].map((n) => encodeBase64url(idOf(n)));
    expect(events).toEqual([{ kind: 'sent-again', device: PHONE, ids, gone: 0 }]);
    expect(accounts).toEqual([BOB]);
    await open();
    expect(repeats.addressees()).toEqual([BOB]);
    expect(waiting()).toEqual([
      { device: PHONE, shown: true, ...decodeContent(plaintextOf(1)), again: idOf(101) },
      { device: PHONE, shown: true, ...decodeContent(plaintextOf(2)), again: idOf(2) },
    ]);
  });

  it('goes to nobody whom it was not for, who learns no more than of what there never was', async () => {
    await keep(1, [PHONE]);
    const { events } = await requested(TABLET, 101, 7);
    expect(events).toEqual([{ kind: 'sent-again', device: TABLET, ids: [], gone: 2 }]);
    expect(waiting()).toEqual([expect.objectContaining({ device: TABLET, shown: false, gone: [idOf(101), idOf(7)] })]);
  });

  it('goes again to one device twice at most, and a device is listened to twelve times an hour', async () => {
    await keep(1);
    const answers: number[] = [];
    for (let n = 0; n < 20; n++) {
      if (n === 6) await open();
      const { events } = await requested(PHONE, 101);
      answers.push(events.length);
    }
    expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => (n < 12 ? 1 : 0)));
    expect(waiting().filter(({ shown }) => shown)).toHaveLength(2);
    now += HOUR;
    expect((await requested(PHONE, 101)).events).toHaveLength(1);
  });

  it('is no loss when nobody would have been shown it', async () => {
    await ledger.commit((transaction) => writeUnshown(transaction, idOf(5)));
    expect(await requested(PHONE, 5)).toEqual({ wasBroken: false, events: [], waiting: [BOB], ofUnshown: true });
    expect(waiting()).toEqual([expect.objectContaining({ shown: false, moot: [idOf(5)] })]);
  });

  it('is kept until all have confirmed it, and within bounds of number, size and time', async () => {
    for (let n = 1; n <= 3; n++) await keep(n);
    await ledger.commit((transaction) => forgetKept(transaction, BOB, 2));
    expect(ledger.keys('kept/')).toHaveLength(2);
    for (let n = 10; n < 10 + KEPT_MESSAGES + 64; n++) {
      now += 1;
      await keep(n, [PHONE], 1, n % 2 ? BOB : ALICE);
    }
    expect(ledger.keys('kept/').length).toBeLessThan(KEPT_MESSAGES + 32);
    for (let n = 1_000; n < 1_100; n++) {
      now += 1;
      await keep(n, [PHONE], KEPT_BYTES / 64);
    }
    expect(ledger.keys('kept/').length).toBeLessThan(64 + 32);
    now += KEPT_MS + 1;
    for (let n = 2_000; n < 2_032; n++) await keep(n);
    expect(ledger.keys('kept/')).toHaveLength(32);
  });
});

it('a device that leaves its account leaves nothing here', async () => {
  await fails(1);
  await asks();
  await ledger.commit((transaction) => {
    repeats.requested(transaction, PHONE, [idOf(1)]);
    unread.forget(transaction, PHONE);
  });
  const left = [...ledger.keys('unread/'), ...ledger.keys('spent/')];
  expect(left).toEqual([`spent/restart ${accountOf(PHONE)}`]);
});

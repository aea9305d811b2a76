/** Clocks that are wrong, and right again: nobody is locked out, and no mail is lost (docs/operations/clocks.md). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Log } from '@sealwire/service/log';
import { silentLog } from '@sealwire/service/log';
import type { DeviceId } from '@sealwire/wire/ids';
import { DEFAULT_SETTINGS } from './settings.ts';
import { messageId, textOf } from './testing/test-client.ts';
import { openWorld, turns, type World, type WorldOptions } from './testing/test-relay.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const LIFE = 20 * MINUTE;
const MAILBOX = { ...DEFAULT_SETTINGS.mailbox, lifeMs: LIFE };
const SWEEP = MINUTE;
const JUMPS: readonly [title: string, ms: number][] = [
  ['an hour', HOUR],
  ['three days', 3 * DAY],
  ['two months', 60 * DAY],
  ['ten years', 10 * YEAR],
];

let world: World;
let alice: DeviceId;
let bob: DeviceId;

/** One node, whose clock was right for a year and two sweeps unless it begins `ahead`. */
async function begin({ ahead = 0, ...options }: WorldOptions & { readonly ahead?: number } = {}): Promise<void> {
  world = await openWorld({
    ...options,
    nodes: 0,
    settings: { mailbox: MAILBOX, expireEveryMs: SWEEP, ...options.settings },
  });
  world.time.ms += YEAR;
  world.time.ahead = ahead;
  await world.startNode();
  [alice, bob] = [await world.device('alice'), await world.device('bob')];
  await pass(2 * SWEEP);
}
afterEach(() => world.close());

/** Real time, in which the servers sweep. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= SWEEP / 2) {
    world.time.pass(Math.min(SWEEP / 2, left));
    await turns(4);
  }
}

async function write(number: number, text: string, at = 0): Promise<number> {
  const from = await world.client(alice, at);
  from.message(messageId(number), [bob], text);
  await from.next('accepted');
  await from.end();
  return world.time.now();
}

/** What bob gets at node `at`, acknowledged if he says so; a gap stands for what he lost. */
async function read(at = 0): Promise<(string | { readonly gap: number })[]> {
  const to = await world.client(bob, at);
  await to.next('caught-up');
  const got: (string | { readonly gap: number })[] = [];
  for (const frame of to.frames) {
    if (frame.kind === 'deliver') got.push(textOf(frame));
    if (frame.kind === 'gap') got.push({ gap: frame.count });
  }
  await to.end();
  return got;
}

describe('mail', () => {
  it.each(JUMPS)(
    'accepted before a clock was %s ahead for a while is there meanwhile, and afterwards',
    async (_, ms) => {
      await begin();
      await write(1, 'before');
      world.time.ahead = ms;
      await pass(5 * MINUTE);
      expect(await read()).toEqual(['before']);
      world.time.ahead = 0;
      await pass(5 * MINUTE);
      expect(await read()).toEqual(['before']);
    },
  );

  it.each(JUMPS)('is not lost at a restart while the clock is %s ahead', async (_, ms) => {
    await begin();
    await write(1, 'before');
    world.time.ahead = ms;
    await world.startNode();
    await pass(5 * MINUTE);
    expect(await read(1)).toEqual(['before']);
  });

  it.each(JUMPS)('accepted while the clock was %s behind lives on when it is right', async (_, ms) => {
    await begin();
    world.time.ahead = -ms;
    await write(1, 'at once');
    await pass(5 * MINUTE);
    await write(2, 'later');
    world.time.ahead = 0;
    await pass(LIFE / 2 - MINUTE);
    expect(await read()).toEqual(['at once', 'later']);
  });

  it('accepted by a server that began before anybody lived, and has no time yet, lives on', async () => {
    await begin();
    world.time.ahead = -world.time.ms;
    await world.startNode();
    await write(1, 'in 1970', 1);
    await pass(5 * MINUTE);
    world.time.ahead = 0;
    await pass(LIFE / 2 - MINUTE);
    expect(await read(1)).toEqual(['in 1970']);
  });

  it.each(JUMPS)(
    'in a full mailbox gives way to one message, and not all, while the clock is %s ahead',
    async (_, ms) => {
      await begin({ settings: { mailbox: { ...MAILBOX, messages: 3 } } });
      for (let i = 1; i <= 3; i++) await write(i, String(i));
      world.time.ahead = ms;
      await write(4, '4');
      world.time.ahead = 0;
      expect(await read()).toEqual([{ gap: 1 }, '2', '3', '4']);
    },
  );

  it.each(JUMPS)('expires in its time after a clock was %s ahead', async (_, ms) => {
    await begin();
    world.time.ahead = ms;
    await pass(5 * MINUTE);
    world.time.ahead = 0;
    await pass(5 * MINUTE);
    await write(1, 'later');
    await pass(LIFE - MINUTE);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
    await pass(3 * MINUTE);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 0 });
    expect(await read()).toEqual([{ gap: 1 }]);
  });

  it('of a store that began while the clock was ten years ahead says when it was accepted, after a restart with the right one', async () => {
    await begin({ ahead: 10 * YEAR });
    await pass(5 * MINUTE);
    world.time.ahead = 0;
    await world.startNode();
    const at = await write(1, 'now', 1);
    const to = await world.client(bob, 1);
    expect(await to.next('deliver')).toMatchObject({ acceptedAt: at });
  });

  it.each(JUMPS)(
    'is not lost at a node whose clock is right when that of the node that took it falls behind by %s',
    async (_, ms) => {
      await begin();
      let behind = 0;
      world.time.pass(20_000);
      await world.startNode({ now: () => world.time.now() - behind });
      await pass(2 * SWEEP);
      behind = ms;
      const expected: string[] = [];
      for (let i = 1; i <= 12; i++) {
        await write(i, String(i), 1);
        expected.push(String(i));
        expect(await read(0)).toEqual(expected);
        await pass(20_000);
      }
    },
  );

  it('lives at least half its life in time that really passed, whatever the clock says', async () => {
    await begin();
    await write(1, 'before');
    world.time.ahead = 10 * YEAR;
    await pass(LIFE / 2 - MINUTE);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 1 });
    await pass(5 * MINUTE);
    expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 0 });
  });

  it('a clock that jumps, or leads by far, is told in the log and by a metric', async () => {
    const lines: [event: string, durationMs: number | undefined][] = [];
    const log: Log = { ...silentLog, warn: (event, fields) => lines.push([event, fields?.durationMs]) };
    await begin({ log });
    const [node] = world.nodes;
    const lead = async () => Number(/^sealwire_mail_clock_lead_seconds (\S+)/m.exec(await node!.metrics.text())?.[1]);
    expect(lines).toEqual([]);
    expect(await lead()).toBeLessThanOrEqual(SWEEP / 1_000);
    world.time.ahead = 3 * DAY;
    await pass(2 * SWEEP);
    expect(lines.map(([event]) => event)).toEqual(['clock-jumped', 'clock-leads']);
    expect(await lead()).toBeGreaterThan((2.9 * DAY) / 1000);
    world.time.ahead = 0;
    await pass(3 * SWEEP);
    expect(lines.slice(2).map(([event]) => event)).toEqual(['clock-jumped']);
    // Not believed, and still said once only.
    world.time.ahead = -world.time.ms;
    await pass(3 * SWEEP);
    expect(lines.slice(3).map(([event]) => event)).toEqual(['clock-jumped', 'clock-behind']);
    world.time.ahead = 0;
    await pass(6 * SWEEP);
    expect(await lead()).toBeLessThanOrEqual(SWEEP / 1_000);
  });
});

describe('sessions', () => {
  it.each([...JUMPS, ['twenty years', 20 * YEAR]] as const)(
    'of two nodes whose clocks are %s apart the newest connection wins, to and fro, and the loser acknowledges nothing',
    async (_, ms) => {
      await begin();
      await world.startNode({ now: () => world.time.now() + ms });
      let before = await world.client(bob, 0);
      for (const at of [1, 0, 1, 0]) {
        await before.next('caught-up');
        await turns(6);
        const next = await world.client(bob, at);
        expect(await before.closed).toMatchObject({ code: 4002 });
        before = next;
      }
      await write(1, 'hello', 1);
      expect(await before.delivered(1)).toEqual(['hello']);
      before.ack(1);
      await world.acknowledged(before);
      expect(await world.store.mailboxes.usage(bob)).toMatchObject({ messages: 0 });
    },
  );

  it.each(JUMPS)('live as long as their token, in time that passed: a clock %s ahead ends none', async (_, ms) => {
    await begin();
    const to = await world.client(bob);
    await to.next('caught-up');
    world.time.ahead = ms;
    world.time.pass(MINUTE / 4);
    await to.settled();
    expect(to.ws.readyState).toBe(to.ws.OPEN);
  });

  it.each(JUMPS)('that began while the clock was %s ahead end with their token', async (_, ms) => {
    await begin();
    world.time.ahead = ms;
    const to = await world.client(bob);
    await to.next('caught-up');
    world.time.ahead = 0;
    for (let i = 0; i < 17 * 12 && to.ws.readyState === to.ws.OPEN; i++) {
      world.time.pass(5_000);
      await Promise.race([to.settled(), to.closed]);
    }
    expect(await to.closed).toMatchObject({ code: 4100 });
  });
});

/** Nobody gets a word in a group, or changes it, who may not; and what others make up costs this device little (docs/spec/groups.md section 6). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { groupAddressOf } from '@sealwire/wire/group-event';
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';
import { ALICE, BOB, CAROL, deviceOf } from '../testing/chain-world.ts';
import { CAROLS_PHONE, Course, GroupWorld, MALLORYS, seedOf } from '../testing/group-world.ts';
import { UNJOINED_GROUPS } from './group-store.ts';
import { HELD_MESSAGES } from './held-messages.ts';

const ALICES = deviceOf('alice', 1);
const CAROLS = deviceOf('carol', 1);
const MALLORY = accountOf(MALLORYS);
const hash = (n: number) => new Uint8Array(32).fill(n % 256, 0, 16).fill(n >> 8, 16);

let world: GroupWorld;
let course: Course;
let trio: AccountAddress;

/** alice, bob and carol are in, and bob knows it. */
beforeEach(async () => {
  world = await GroupWorld.open(ALICES, CAROLS, MALLORYS);
  course = new Course(ALICE);
  course.bring(ALICE, BOB, CAROL);
  trio = course.log.address;
  await world.tell(ALICES, course);
});

const refused = (code: string) => expect.objectContaining({ kind: 'group-refused', group: trio, code });

describe('a message in a group', () => {
  it('of a member is shown, whether it names the newest events or older ones', async () => {
    const { heads } = course.log;
    expect(await world.post(CAROLS, trio, 'one', heads)).toEqual({ events: [], shown: ['one'] });
    course.act(ALICE, { kind: 'rename', subject: 'three' });
    expect((await world.post(ALICES, trio, 'two', course.log.heads, course.log.since(heads))).shown).toEqual(['two']);
    expect((await world.post(CAROLS, trio, 'three', heads)).shown).toEqual(['three']);
  });

  it('S52, S53: of who is no member is refused, and told', async () => {
    const { shown, events } = await world.post(MALLORYS, trio, 'hi', course.log.heads);
    expect([shown, events]).toEqual([[], [refused('not-a-member')]]);
  });

  it('S52: of who was removed is refused, whatever old events it names', async () => {
    const { heads } = course.log;
    const event = course.act(ALICE, { kind: 'remove', member: CAROL });
    await world.tell(ALICES, course, [event]);
    expect((await world.post(CAROLS, trio, 'hi', heads)).events).toEqual([refused('former-member')]);
    expect((await world.post(CAROLS, trio, 'hi again', course.log.heads)).events).toEqual([refused('not-a-member')]);
  });

  it('of who came in later is refused where it names events from before', async () => {
    const { heads } = course.log;
    course.bring(ALICE, MALLORY);
    await world.tell(ALICES, course, course.log.since(heads));
    expect((await world.post(MALLORYS, trio, 'hi', heads)).events).toEqual([refused('not-a-member')]);
    expect((await world.post(MALLORYS, trio, 'hello', course.log.heads)).shown).toEqual(['hello']);
  });

  it('T159: of an account that the server shows under another key than the log is refused', async () => {
    await world.knows(CAROLS, new Uint8Array(32).fill(9));
    expect((await world.post(CAROLS, trio, 'hi', course.log.heads)).events).toEqual([refused('account-key-differs')]);
  });

  it('names events, unless a LIME device of somebody else wrote it', async () => {
    expect((await world.post(CAROLS, trio, 'hi')).events).toEqual([refused('no-heads')]);
    await world.knows(CAROLS_PHONE);
    expect((await world.post(CAROLS_PHONE, trio, 'from a phone')).shown).toEqual(['from a phone']);
  });

  it('of a group that this account has not joined is refused', async () => {
    const other = new Course(MALLORY);
    other.bring(MALLORY, CAROL);
    await world.tell(MALLORYS, other);
    const { events, shown } = await world.post(MALLORYS, other.log.address, 'buy this', other.log.heads);
    expect([events, shown]).toEqual([[expect.objectContaining({ code: 'not-joined' })], []]);
  });

  it('T161: that names events that are not here waits for them, over restarts, and its author is asked', async () => {
    const { heads } = course.log;
    course.act(ALICE, { kind: 'rename', subject: 'three' });
    expect(await world.post(CAROLS, trio, 'nice name', course.log.heads)).toEqual({ events: [], shown: [] });
    expect(await world.post(CAROLS, trio, 'is it not?', course.log.heads)).toEqual({ events: [], shown: [] });
    expect(world.sent()).toEqual([CAROL]);
    await world.reopen();
    const { shown, events } = await world.tell(CAROLS, course, course.log.since(heads));
    expect(shown).toEqual(['nice name', 'is it not?']);
    expect(events).toEqual([
      expect.objectContaining({ kind: 'group-changed', change: { kind: 'renamed', subject: 'three' } }),
    ]);
  });
});

describe('news of a group', () => {
  it('T159: with events that nobody may have made change nothing, and are told with the reason', async () => {
    const foreign = new Course(MALLORY).act(MALLORY, { kind: 'rename', subject: 'mine' });
    const remove = { kind: 'remove', member: BOB } as const;
    const invite = { kind: 'invite', members: [{ address: MALLORY, key: hash(1) }] } as const;
    const told: [ReturnType<Course['forge']>, string][] = [
      [foreign, 'wrong-group'],
      [course.forge(ALICE, remove, seedOf(MALLORY)), 'bad-signature'],
      [course.forge(CAROL, remove), 'not-administrator'],
      [course.forge(MALLORY, invite), 'not-a-member'],
      [{ event: hash(1), signature: new Uint8Array(64) }, 'bad-group-event'],
    ];
    for (const [event, code] of told) {
      const { events, shown } = await world.post(ALICES, trio, 'with it', course.log.heads, [event]);
      expect([events, shown]).toEqual([[refused(code)], ['with it']]);
    }
    expect(world.store.read(world.ledger, trio)?.members.size).toBe(3);
  });

  it('T160: repeated, reordered and in pieces say the same', async () => {
    const { heads } = course.log;
    for (let n = 0; n < 5; n++) course.act(ALICE, { kind: 'rename', subject: `name ${n}` });
    const events = course.log.since(heads);
    const told: string[] = [];
    for (const event of [...events.toReversed(), ...events])
      for (const { kind } of (await world.tell(ALICES, course, [event])).events) told.push(kind);
    expect(told).toEqual(Array(5).fill('group-changed'));
    expect(world.store.read(world.ledger, trio)?.state.subject).toBe('name 4');
  });

  it('that do not begin with the event that made the group are refused', async () => {
    const other = new Course(CAROL);
    other.bring(CAROL, MALLORY);
    const { events } = await world.tell(MALLORYS, other, other.log.since([other.log.group]));
    expect(events).toContainEqual(expect.objectContaining({ code: 'unknown-group' }));
    expect(world.store.all()).toHaveLength(1);
  });

  it('are given to members who ask, to nobody else, and not without end', async () => {
    const asks = (from: typeof CAROLS) => world.tell(from, course, [], true);
    expect((await asks(MALLORYS)).events).toEqual([refused('not-a-member')]);
    expect(world.sent()).toEqual([]);
    for (let n = 0; n < 100; n++) await asks(CAROLS);
    expect(world.sent()).toEqual([CAROL]);
    expect(world.outbox.count).toBe(24);
  });
});

describe('what is made up', () => {
  it('fills no device: groups that nobody joined are few, and so are messages that wait', async () => {
    const made = (n: number) => groupAddressOf(hash(n));
    let given = 0;
    for (let n = 0; n < HELD_MESSAGES + 50; n++)
      given += (await world.post(MALLORYS, made(n), `m${n}`, [hash(n)])).events.length;
    expect(given).toBe(50);
    expect(world.ledger.keys('held/')).toHaveLength(HELD_MESSAGES);
    expect(world.outbox.count).toBeLessThanOrEqual(24);
    await world.reopen();
    // Who floods loses its own.
    course.act(ALICE, { kind: 'rename', subject: 'three' });
    expect((await world.post(CAROLS, trio, 'nice name', course.log.heads)).events).toMatchObject([{ from: MALLORY }]);
    expect(world.ledger.keys('held/')).toHaveLength(HELD_MESSAGES);
  });

  it('costs at most the oldest of the groups that this account is not in', async () => {
    for (let n = 0; n < UNJOINED_GROUPS + 5; n++) {
      world.now += 1;
      const other = new Course(deviceOf(`m${n}`, 1).split(';')[0] as AccountAddress);
      await world.tell(MALLORYS, other);
    }
    expect(world.store.all()).toHaveLength(UNJOINED_GROUPS + 1);
    expect(world.store.read(world.ledger, trio)).toBeDefined();
  });
});

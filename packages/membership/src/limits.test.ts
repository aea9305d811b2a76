/** Both sides of each bound of a log (packages/wire/src/limits.ts). */
import { describe, expect, it, jest } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type GroupAction, groupEventHash, type SignedGroupEvent } from '@sealwire/wire/group-event';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Log } from './log.ts';
import { createGroup, makeEvent, type Signer } from './making.ts';
import { stateOf } from './state.ts';
import { PEOPLE } from './testing/course.ts';
import { quickCrypto, signAs } from './testing/forging.ts';

jest.setTimeout(60_000);

const [ada, ...others] = PEOPLE as [(typeof PEOPLE)[number], ...(typeof PEOPLE)[number][]];
const NOTHING = new Uint8Array(0);

function start(): Log {
  return createGroup(quickCrypto, ada, 'group', seededRandom('group')).log;
}

/** All of `PEOPLE` administrators. */
function administrators(): Log {
  let log = start();
  const act = (who: Signer, action: Exclude<GroupAction, { kind: 'create' }>) => {
    log = makeEvent(log, who, action).log;
  };
  act(ada, { kind: 'invite', members: others.map(({ account, key }) => ({ address: account, key })) });
  for (const other of others) {
    act(other, { kind: 'join', invitation: stateOf(log).invited[0]!.invitation });
    act(ada, { kind: 'promote', member: other.account });
  }
  return log;
}

/** So many further events of one actor, each after the one before. */
function chain(log: Log, actor: Signer, count: number, action: (i: number) => GroupAction): SignedGroupEvent[] {
  const events: SignedGroupEvent[] = [];
  const mine = log.events.filter(({ event }) => event.actor === actor.account);
  let previous = mine.at(-1)!.hash;
  let parents = log.heads.filter((hash) => hash.join() !== previous.join());
  for (let i = 0; i < count; i += 1) {
    const place = { group: log.group, actor: actor.account, number: mine.length + 1 + i, previous, parents };
    const signed = signAs(actor, { ...place, at: i, action: action(i) }, quickCrypto);
    previous = groupEventHash(quickCrypto, signed.event);
    parents = [];
    events.push(signed);
  }
  return events;
}

const rename = (i: number): GroupAction => ({ kind: 'rename', subject: `name ${i}` });

describe('a log', () => {
  it('has so many events of one actor, and so many in all', () => {
    const log = administrators();
    const each = LIMITS.groupEventsPerMember.value;
    let all = log;
    let taken = log.size;
    for (const who of PEOPLE.slice(0, 4)) {
      const before = all.events.filter(({ event }) => event.actor === who.account).length;
      const room = Math.min(each - before, LIMITS.groupEvents.value - taken);
      const added = all.add(chain(log, who, each - before + 1, rename));
      expect(added.accepted).toHaveLength(room);
      expect(new Set(added.refused.map(({ code }) => code))).toEqual(new Set(['too-many-events']));
      all = added.log;
      taken += room;
    }
    expect([all.size, all.pending]).toEqual([LIMITS.groupEvents.value, 0]);
  });

  it('has so many bytes of one actor, and so many in all', () => {
    const log = administrators();
    const picture = (): GroupAction => ({ kind: 'picture', descriptor: new Uint8Array(20_000) });
    let all = log;
    for (const who of PEOPLE) {
      const { log: after, accepted, refused } = all.add(chain(log, who, 55, picture));
      expect(refused[0]?.code).toBe('too-many-events');
      expect(accepted.length).toBeGreaterThan(0);
      all = after;
      const mine = all.events.filter(({ event }) => event.actor === who.account);
      const bytes = mine.reduce((sum, { signed }) => sum + signed.event.length + signed.signature.length, 0);
      expect(bytes).toBeLessThanOrEqual(LIMITS.groupLogBytesPerMember.value);
      if (who !== PEOPLE.at(-1)) expect(bytes).toBeGreaterThan(LIMITS.groupLogBytesPerMember.value - 21_000);
      if (all.encode().length > LIMITS.groupLogBytes.value - 21_000) break;
    }
    expect(all.records.bytes).toBeLessThanOrEqual(LIMITS.groupLogBytes.value);
    expect(all.records.bytes).toBeGreaterThan(LIMITS.groupLogBytes.value - 21_000);
  });

  it('has so many members, invited ones too, whoever brings them in at once', () => {
    const crowd = (from: number, count: number): GroupAction => ({
      kind: 'invite',
      members: Array.from({ length: count }, (_, i) => ({
        address: parseAccountAddress(`sip:u${from + i}@example.org`),
        key: NOTHING,
      })),
    });
    const log = administrators();
    const room = LIMITS.groupMembers.value - PEOPLE.length;
    const invitations = Math.floor(room / 64);
    const many = log.add(chain(log, ada, invitations, (i) => crowd(64 * i, 64))).log;
    const rest = room - 64 * invitations;
    const full = many.add(chain(many, ada, 1, () => crowd(5_000, rest))).log;
    expect(stateOf(full).members).toHaveLength(LIMITS.groupMembers.value);
    expect(full.add(chain(full, ada, 1, () => crowd(9_000, 1))).refused[0]?.code).toBe('too-many-members');
    expect(many.add(chain(many, ada, 1, () => crowd(5_000, rest + 1))).refused[0]?.code).toBe('too-many-members');
    // Somebody who does not know of them: the first ones, by an order that is the same for all.
    const more = full.add(chain(log, others[0]!, 3, (i) => crowd(20_000 + 64 * i, 64)));
    expect(more.refused).toEqual([]);
    expect(stateOf(more.log).members).toHaveLength(LIMITS.groupMembers.value);
    expect(stateOf(more.log).members.filter(({ role }) => role === 'administrator')).toHaveLength(PEOPLE.length);
  });
});

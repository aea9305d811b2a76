/** What somebody could try against a group, one attack a test: who was removed, a member, an administrator. The others: hostile.test.ts. */
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type GroupEvent } from '@sealwire/wire/group-event';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { joinByLink, makeLink } from './making.ts';
import { memberOf, stateOf } from './state.ts';
import { forge } from './testing/forging.ts';
import { AT, namesIn } from './testing/people.ts';
import { ada, bob, cyn, dan, inviting, mal, NOBODY, refusal, trio } from './testing/trio.ts';

describe('somebody who was removed', () => {
  it('T156: comes back by no own act: not by the old invitation or link, not by what the removal did not know', () => {
    const group = trio();
    const { log, link } = makeLink(group.log, ada, {}, seededRandom('link'));
    group.log = log;
    group.invite(ada, dan);
    const invited = group.log;
    const { invitation } = stateOf(invited).invited[0]!;
    group.join(dan);
    const before = group.log;
    group.remove(ada, dan);
    expect(refusal(group.log, forge(group.log, dan, { kind: 'join', invitation }))).toBe('not-invited');
    expect(() => joinByLink(group.log, dan, link)).toThrow(expect.objectContaining({ code: 'was-removed' }));
    expect(refusal(group.log, forge(group.log, dan, { kind: 'leave', invitation: NOBODY }))).toBe('not-a-member');
    // As if the removal were not known: all of it is taken, and none of it helps.
    const hidden = [
      forge(invited, dan, { kind: 'join', invitation }, { at: AT + 1 }),
      joinByLink(log, dan, link).signed,
      forge(before, dan, { kind: 'leave', invitation: NOBODY }),
    ];
    for (const event of hidden) {
      const after = group.log.add([event]);
      expect([after.refused, namesIn(after.log)]).toEqual([[], 'ADA BOB cyn']);
    }
  });

  it('T156: as an administrator undoes nothing of it, and brings in nobody, by acts dated back', () => {
    const group = trio();
    const before = group.log;
    group.remove(ada, bob);
    const late = [
      forge(before, bob, inviting(mal)),
      forge(before, bob, { kind: 'remove', member: ada.account }),
      forge(before, bob, { kind: 'promote', member: cyn.account }),
    ];
    for (const event of late) {
      const after = group.log.add([event]);
      expect([after.refused, namesIn(after.log)]).toEqual([[], 'ADA cyn']);
      expect(stateOf(after.log).overruled).toHaveLength(1);
    }
    // Who came in by such an act was never in.
    const joined = before.add([late[0]!]).log;
    const { invitation } = stateOf(joined).invited[0]!;
    group.learn(late[0]!, forge(joined, mal, { kind: 'join', invitation }));
    expect(group.members).toBe('ADA cyn');
  });

  it('T156: leaves no administrator behind: whom that one promoted at the same time is none, and has done nothing', () => {
    const group = trio();
    const [one, other] = [group.fork(), group.fork()];
    const removed = one.remove(ada, bob);
    const events = [other.promote(bob, cyn), other.invite(cyn, mal)];
    expect(one.learn(...events).members).toBe('ADA cyn');
    expect(stateOf(one.log).invited).toEqual([]);
    expect(other.learn(removed).members).toBe('ADA cyn');
  });

  it('and is brought back as an administrator acts like any other', () => {
    const group = trio();
    group.remove(ada, bob);
    group.bring(ada, bob, 'administrator');
    group.bring(bob, dan);
    expect(group.members).toBe('ADA BOB cyn dan');
  });

  it('T156: does not come back because a removal seemed to be overruled, and was not', () => {
    const group = trio();
    group.promote(bob, cyn);
    group.invite(ada, dan);
    const [one, two, three] = [group.fork(), group.fork(), group.fork()];
    const withdrawn = one.remove(cyn, dan);
    const overruling = two.remove(bob, cyn);
    const overruled = three.remove(ada, bob);
    // dan knows that cyn withdrew the invitation, and that bob had removed cyn before: so it counts, and dan joins.
    const joined = two.learn(withdrawn).join(dan);
    expect(two.members).toBe('ADA BOB dan');
    // bob was removed himself: cyn's act counts after all.
    expect(two.learn(overruled).members).toBe('ADA CYN');
    expect(three.learn(joined, overruling, withdrawn).members).toBe('ADA CYN');
  });

  it('T156: acts no more after it is known', () => {
    const group = trio();
    group.remove(ada, bob);
    expect(refusal(group.log, forge(group.log, bob, inviting(mal)))).toBe('not-a-member');
  });

  it('is removed under every spelling of the domain', () => {
    const group = trio();
    const address = parseAccountAddress('sip:cyn@EXAMPLE.org');
    expect(memberOf(stateOf(group.log), address)).toBeDefined();
    expect(refusal(group.log, forge(group.log, ada, inviting({ ...cyn, account: address })))).toBe('already-member');
    group.act(ada, { kind: 'remove', member: address });
    expect(group.members).toBe('ADA BOB');
  });
});

describe('a member', () => {
  it('T154: does nothing that takes an administrator', () => {
    const { log } = trio();
    const acts = [
      inviting(mal),
      { kind: 'remove', member: bob.account },
      { kind: 'promote', member: cyn.account },
      { kind: 'demote', member: ada.account },
      { kind: 'rename', subject: 'mine' },
      { kind: 'picture', descriptor: NOBODY },
      { kind: 'timer', lifetime: 1 },
      { kind: 'link-made', key: cyn.key, expiresAt: 0, uses: 0 },
    ] as const;
    for (const action of acts) expect(refusal(log, forge(log, cyn, action))).toBe('not-administrator');
  });

  it('T158: is told as forked, with both events as evidence, when it signs two for one place', () => {
    const group = trio();
    const [one, other] = [group.fork(), group.fork()];
    const events = [one.rename(bob, 'one'), other.rename(bob, 'other')] as const;
    const added = one.log.add([events[1]]);
    expect(added.forks).toMatchObject([{ account: bob.account, number: 2, events }]);
    expect(added.log.forks).toEqual(added.forks);
    expect(added.log.add([events[1]]).forks).toEqual([]);
    const there = other.log.add([events[0]]).log;
    expect(stateOf(there)).toEqual(stateOf(added.log));
  });

  it('T158: does not flood by forking: more than four for one place wait until somebody else builds on one', () => {
    const group = trio();
    const events = Array.from({ length: 7 }, (_, i) =>
      forge(group.log, cyn, { kind: 'leave', invitation: NOBODY }, { at: AT + i }),
    );
    const flooded = group.log.add(events);
    expect([flooded.accepted.length, flooded.log.pending, flooded.log.missing]).toEqual([4, 3, []]);
    // Another member took the last of them for the first, and goes on from there.
    const elsewhere = group.fork().learn(events[6]!);
    const built = elsewhere.rename(ada, 'goes on');
    const forged = { ...built, signature: new Uint8Array(64) };
    expect(flooded.log.add([forged]).accepted).toEqual([]);
    const { log } = flooded.log.add([built]);
    expect([log.size, stateOf(log).subject]).toEqual([group.log.size + 6, 'goes on']);
  });

  it('T158: does not let more than four for one place in by building on them itself', () => {
    const group = trio();
    const branches = Array.from({ length: 5 }, () => group.fork());
    const events = branches.map((branch, i) => branch.rename({ ...bob, at: AT + i }, 'mine'));
    const child = branches[4]!.rename(bob, 'mine, again');
    const { log, accepted } = group.log.add([...events, child]);
    expect([accepted.length, log.pending]).toEqual([4, 2]);
  });

  it('does not take another’s place in the chain, or leave one out', () => {
    const { log } = trio();
    const wrong: Partial<GroupEvent>[] = [
      { previous: log.group, parents: log.heads },
      { number: 9 },
      { previous: log.events.find(({ event }) => event.actor === bob.account)!.hash },
    ];
    for (const changes of wrong) expect(refusal(log, forge(log, ada, inviting(dan), changes))).toBe('bad-chain');
  });
});

describe('an administrator', () => {
  it('T156: and another remove one another at the same time: the senior one stays', () => {
    const group = trio();
    const [one, other] = [group.fork(), group.fork()];
    const events = [one.remove(ada, bob), other.remove(bob, ada)];
    expect(one.learn(events[1]!).members).toBe('ADA cyn');
    expect(other.learn(events[0]!).members).toBe('ADA cyn');
  });

  it('T156: and two others remove each the next in a circle: the most senior act stands, and what it does not end', () => {
    const group = trio();
    group.promote(bob, cyn);
    const [a, b, c] = [group.fork(), group.fork(), group.fork()];
    const events = [a.remove(ada, bob), b.remove(bob, cyn), c.remove(cyn, ada)];
    for (const log of [a, b, c]) expect(log.learn(...events).members).toBe('CYN');
  });

  it('removes a senior one who does not object, and whose acts at that time count', () => {
    const group = trio();
    const [one, other] = [group.fork(), group.fork()];
    const events = [one.remove(bob, ada), other.invite(ada, dan)];
    expect(one.learn(events[1]!).members).toBe('BOB cyn');
    expect(stateOf(one.log).invited.map(({ address }) => address)).toEqual([dan.account]);
  });

  it('is heard before a junior one where both change a setting at once', () => {
    for (let i = 0; i < 6; i += 1) {
      const group = trio();
      const [one, other] = [group.fork(), group.fork()];
      const events = [one.rename(ada, `ada ${i}`), other.rename(bob, `bob ${i}`)];
      expect(stateOf(group.learn(...events).log).subject).toBe(`ada ${i}`);
      // And after that whoever comes later.
      group.rename(bob, 'bob, later');
      expect(stateOf(group.log).subject).toBe('bob, later');
    }
  });

  it('who was demoted at the same time has done nothing, and keeps the membership', () => {
    const group = trio();
    const [one, other] = [group.fork(), group.fork()];
    const events = [one.demote(ada, bob), other.rename(bob, 'mine')];
    expect(one.learn(events[1]!).members).toBe('ADA bob cyn');
    expect(stateOf(other.learn(events[0]!).log).subject).toBe('trio');
  });

  it('T154: brings in no key that is none', () => {
    const { log } = trio();
    const zero = { ...mal, key: new Uint8Array(32) };
    expect(refusal(log, forge(log, ada, inviting(zero)))).toBe('bad-key');
    const keys = { kind: 'link-made', key: new Uint8Array(32), expiresAt: 0, uses: 0 } as const;
    expect(refusal(log, forge(log, ada, keys))).toBe('bad-key');
  });

  it('does not invite, promote or remove whom that makes no sense for', () => {
    const group = trio();
    group.invite(ada, dan);
    const { log } = group;
    const refused = (action: Parameters<typeof forge>[2]) => refusal(log, forge(log, ada, action));
    expect(refused(inviting(cyn))).toBe('already-member');
    expect(refused(inviting(dan))).toBe('already-invited');
    expect(refused(inviting(mal, { ...mal, account: parseAccountAddress('sip:mal@Example.org') }))).toBe(
      'already-invited',
    );
    expect(refused({ kind: 'promote', member: dan.account })).toBe('no-such-member');
    expect(refused({ kind: 'promote', member: bob.account })).toBe('already-administrator');
    expect(refused({ kind: 'demote', member: cyn.account })).toBe('no-such-member');
    expect(refused({ kind: 'remove', member: mal.account })).toBe('no-such-member');
    expect(refused({ kind: 'link-revoked', link: log.group })).toBe('no-such-link');
  });

  it('withdraws an invitation, which nobody joins by at the same time', () => {
    const group = trio();
    group.invite(ada, dan);
    const other = group.fork();
    const events = [group.remove(ada, dan), other.join(dan)];
    expect(group.learn(events[1]!).members).toBe('ADA BOB cyn');
    expect(other.learn(events[0]!).members).toBe('ADA BOB cyn');
  });
});

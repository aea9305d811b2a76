/** What somebody could try against a group, one attack a test: a server, an outsider, somebody who was removed, a member, an administrator. */
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { decodeGroupEvent, type GroupEvent, type SignedGroupEvent } from '@sealwire/wire/group-event';
import { groupLinkSigningInput } from '@sealwire/wire/group-link';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { Log } from './log.ts';
import { createGroup, joinByLink, makeLink } from './making.ts';
import { memberOf, stateOf } from './state.ts';
import { forge, signAs } from './testing/forging.ts';
import { AT, crypto, Group, namesIn, person } from './testing/people.ts';

const ada = person('ada');
const bob = person('bob');
const cyn = person('cyn');
const dan = person('dan');
const mal = person('mal');
const NOBODY = new Uint8Array(0);

/** `ada` and `bob` are administrators, `cyn` is a member. */
function trio(): Group {
  const group = Group.by(ada);
  group.bring(ada, bob, 'administrator');
  group.bring(ada, cyn);
  return group;
}

const inviting = (...members: (typeof ada)[]) => ({
  kind: 'invite' as const,
  members: members.map(({ account, key }) => ({ address: account, key })),
});

/** The code with which the log refuses this, and all that it says stays as it was. */
function refusal(log: Log, ...events: SignedGroupEvent[]): string | undefined {
  const added = log.add(events);
  expect(stateOf(added.log)).toEqual(stateOf(log));
  expect(added.accepted).toEqual([]);
  return added.refused.at(-1)?.code;
}

describe('a server', () => {
  it('T154: adds nobody: what no key of a member signed is refused', () => {
    const { log } = trio();
    const good = forge(log, ada, inviting(mal));
    const signedByServer = { ...good, signature: forge(log, { ...ada, seed: mal.seed }, inviting(mal)).signature };
    expect(refusal(log, signedByServer)).toBe('bad-signature');
    expect(refusal(log, forge(log, mal, inviting(mal)))).toBe('not-a-member');
  });

  it('T154: changes nothing in an event that is signed', () => {
    const { log } = trio();
    const good = forge(log, ada, inviting(dan));
    const other = decodeGroupEvent(good.event);
    const changed = signAs(mal, { ...other, action: inviting(mal) });
    expect(refusal(log, { ...good, event: changed.event })).toBe('bad-signature');
    for (let at = 0; at < good.event.length; at += 1) {
      const event = good.event.slice();
      event[at]! ^= 1;
      const { accepted, log: after } = log.add([{ ...good, event }]);
      expect([accepted, namesIn(after)]).toEqual([[], 'ADA BOB cyn']);
    }
  });

  it('T154: keeps no good event out by one with a spoiled signature that comes first, or waits first', () => {
    const group = trio();
    const early = group.fork();
    const [one, two] = [group.rename(ada, 'one'), group.rename(ada, 'two')];
    const spoiled = { ...two, signature: new Uint8Array(64) };
    const { log } = early.log.add([spoiled]).log.add([two]).log.add([one]);
    expect(stateOf(log).subject).toBe('two');
    expect(log.pending).toBe(0);
    // What follows a spoiled one waits for the good one.
    const waiting = early.log.add([two, { ...one, signature: new Uint8Array(64) }]);
    expect([waiting.refused.map(({ code }) => code), waiting.log.pending]).toEqual([['bad-signature'], 1]);
  });

  it('T155: changes nothing by bringing events again, or in another order', () => {
    const group = trio();
    const before = group.log;
    const removed = group.remove(ada, cyn);
    const back = group.bring(ada, cyn);
    const all = [...before.since([]), removed, ...back];
    const { log, accepted } = group.log.add([...all, ...all]);
    expect([accepted, log.size]).toEqual([[], group.log.size]);
    expect(stateOf(before.add([...back.toReversed(), removed, removed]).log)).toEqual(stateOf(group.log));
  });

  it('T155: hides no event that another follows: it is asked for', () => {
    const group = trio();
    const behind = group.fork();
    const hidden = group.remove(ada, cyn);
    const { heads } = group.log;
    const told = group.rename(bob, 'two');
    const added = behind.log.add([told]);
    expect([added.accepted, added.log.pending]).toEqual([[], 1]);
    expect(added.log.missing).toEqual(heads);
    const { log } = added.log.add([hidden]);
    expect([log.missing, stateOf(log)]).toEqual([[], stateOf(group.log)]);
  });

  it('T155: puts no event of one group into another (S53), nor another beginning under the same id', () => {
    const { log } = trio();
    const other = createGroup(crypto, ada, 'other', seededRandom('other'));
    expect(refusal(log, forge(other.log, ada, inviting(dan)))).toBe('wrong-group');
    expect(refusal(log, other.signed)).toBe('second-create');
    expect(() => Log.received(crypto, log.group, other.log.since([]))).toThrow(
      expect.objectContaining({ code: 'wrong-group' }),
    );
  });

  it('T155: tells two people different things only until they compare heads', () => {
    const [one, other] = [trio(), trio()];
    one.rename(ada, 'one');
    other.rename(bob, 'other');
    expect(one.log.heads).not.toEqual(other.log.heads);
    const merged = one.log.add(other.log.since(one.log.heads)).log;
    expect(stateOf(merged)).toEqual(stateOf(other.log.add(one.log.since(other.log.heads)).log));
    expect(stateOf(merged).subject).toBe('one');
  });

  it('T158: fills nobody’s memory with events that wait: the oldest go', () => {
    const { log } = trio();
    const flood = Array.from({ length: 300 }, (_, i) =>
      forge(log, mal, inviting(mal), { parents: [new Uint8Array(32).fill(i % 256, 0, 31).fill(i >> 8, 31)] }),
    );
    const { log: after, refused } = log.add(flood);
    expect(after.pending).toBe(256);
    expect(refused.map(({ code }) => code)).toEqual(Array.from({ length: 44 }, () => 'too-many-pending'));
    expect(namesIn(after.add([forge(log, ada, inviting(dan))]).log)).toBe('ADA BOB cyn');
  });
});

describe('an outsider, or who was invited', () => {
  it('T154: does not join by an invitation of somebody else, or of nobody', () => {
    const group = trio();
    group.invite(ada, dan);
    const { invitation } = stateOf(group.log).invited[0]!;
    expect(refusal(group.log, forge(group.log, mal, { kind: 'join', invitation }))).toBe('not-invited');
    expect(refusal(group.log, forge(group.log, mal, { kind: 'join', invitation: group.log.group }))).toBe(
      'not-invited',
    );
  });

  it('T154: does not join with another account key than the invitation names', () => {
    const group = trio();
    group.invite(ada, dan);
    const { invitation } = stateOf(group.log).invited[0]!;
    const impostor = { ...dan, seed: mal.seed };
    expect(refusal(group.log, forge(group.log, impostor, { kind: 'join', invitation }))).toBe('bad-signature');
  });

  it('T154: puts nobody out under the same address with another key', () => {
    const group = trio();
    const other = group.fork();
    const impostor = { ...dan, seed: mal.seed, key: mal.key };
    group.bring(ada, dan);
    const invited = other.invite(bob, impostor);
    const { invitation } = stateOf(other.log).invited[0]!;
    group.learn(invited, other.act(impostor, { kind: 'leave', invitation }));
    expect(memberOf(stateOf(group.log), dan.account)).toMatchObject({ key: dan.key });
  });

  it('T154: does nothing in the name of a member with another key, even where an administrator named that key', () => {
    const group = trio();
    const other = group.fork();
    const impostor = { ...dan, seed: mal.seed, key: mal.key };
    group.bring(ada, dan);
    group.learn(other.invite(bob, impostor), other.join(impostor));
    // ada is senior to bob: the key is the one that she named.
    expect(memberOf(stateOf(group.log), dan.account)).toMatchObject({ key: dan.key });
    const chain = { number: 2, previous: other.log.heads[0]! };
    const leaving = forge(group.log, impostor, { kind: 'leave', invitation: NOBODY }, chain);
    expect(refusal(group.log, leaving)).toBe('other-key');
    group.leave(dan);
    expect(group.members).toBe('ADA BOB cyn');
    group.invite(bob, impostor);
    const { invitation } = stateOf(group.log).invited[0]!;
    const last = group.log.events.findLast(({ event }) => event.action.kind === 'leave')!;
    const continued = { number: last.event.number + 1, previous: last.hash };
    expect(refusal(group.log, forge(group.log, impostor, { kind: 'join', invitation }, continued))).toBe('other-key');
  });

  it('T154: has no say before joining', () => {
    const group = trio();
    group.invite(ada, dan);
    expect(refusal(group.log, forge(group.log, dan, inviting(mal)))).toBe('not-a-member');
  });

  it('T157: does not join by a link without its secret, or with the proof of another account or group', () => {
    const group = trio();
    const { log, link } = makeLink(group.log, ada, {}, seededRandom('link'));
    const joining = (who: typeof ada, proof: Uint8Array, key = who.key) =>
      forge(log, who, { kind: 'join-link', link: link.link, key, proof });
    const proofFor = (who: typeof ada, of = link.group) =>
      crypto.ed25519.sign(link.seed, groupLinkSigningInput(of, link.link, who.account, who.key));
    expect(refusal(log, joining(mal, new Uint8Array(64)))).toBe('bad-link-proof');
    expect(refusal(log, joining(mal, proofFor(dan)))).toBe('bad-link-proof');
    expect(refusal(log, joining(mal, proofFor(mal, new Uint8Array(32))))).toBe('bad-link-proof');
    // Somebody else's proof, with the key that it is for: that account has not signed the event.
    const stolen = { ...joining({ ...mal, account: dan.account, key: dan.key }, proofFor(dan)) };
    expect(refusal(log, stolen)).toBe('bad-signature');
    expect(log.add([joining(dan, proofFor(dan))]).refused).toEqual([]);
  });

  it('T157: does not join by a link after it was revoked, whatever it says that it knew', () => {
    const group = trio();
    const { log, link } = makeLink(group.log, ada, {}, seededRandom('link'));
    group.log = log;
    const inTime = joinByLink(group.log, dan, link);
    group.learn(inTime.signed).act(ada, { kind: 'link-revoked', link: link.link });
    const late = joinByLink(log, mal, link);
    group.learn(late.signed);
    expect(group.members).toBe('ADA BOB cyn dan');
    expect(stateOf(group.log).overruled).toEqual([late.hash]);
  });

  it('T157: uses a link up, and no more of it, however many join at the same time', () => {
    const group = trio();
    const { log, link } = makeLink(group.log, ada, { uses: 1 }, seededRandom('link'));
    const joins = [dan, mal].map((who) => joinByLink(log, who, link).signed);
    const [one, other] = [log.add(joins).log, log.add(joins.toReversed()).log];
    expect(stateOf(one).members).toEqual(stateOf(other).members);
    expect([stateOf(one).members.length, stateOf(one).links[0]!.used]).toEqual([4, 1]);
  });
});

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

it('who builds on a refused event is refused with it, even when it comes later', () => {
  const { log } = trio();
  const bad = forge(log, cyn, inviting(mal));
  const hash = crypto.sha256(Uint8Array.from([...new TextEncoder().encode('sealwire/group-event/v1\0'), ...bad.event]));
  const child = forge(log, ada, inviting(dan), { parents: [hash] });
  expect(refusal(log, child, bad)).toBe('refused-parent');
});

/** What somebody could try against a group, one attack a test: a server, an outsider, who was invited. The others: hostile-members.test.ts. */
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { decodeGroupEvent } from '@sealwire/wire/group-event';
import { groupLinkSigningInput } from '@sealwire/wire/group-link';
import { Log } from './log.ts';
import { createGroup, joinByLink, makeLink } from './making.ts';
import { memberOf, stateOf } from './state.ts';
import { forge, signAs } from './testing/forging.ts';
import { crypto, namesIn } from './testing/people.ts';
import { ada, bob, cyn, dan, inviting, mal, NOBODY, refusal, trio } from './testing/trio.ts';

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

it('who builds on a refused event is refused with it, even when it comes later', () => {
  const { log } = trio();
  const bad = forge(log, cyn, inviting(mal));
  const hash = crypto.sha256(Uint8Array.from([...new TextEncoder().encode('sealwire/group-event/v1\0'), ...bad.event]));
  const child = forge(log, ada, inviting(dan), { parents: [hash] });
  expect(refusal(log, child, bad)).toBe('refused-parent');
});

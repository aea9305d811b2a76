/** A group as honest people have it: each thing that can be done, and what the log then says. */
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { Log } from './log.ts';
import { createGroup, joinByLink, makeEvent, makeLink } from './making.ts';
import { endedLinks, memberOf, stateOf } from './state.ts';
import { AT, crypto, Group, namesIn } from './testing/people.ts';
import { ada, bob, cyn, dan } from './testing/trio.ts';

describe('a group', () => {
  it('begins with who created it, and has an address of its own', () => {
    const { log } = createGroup(crypto, ada, 'trio', seededRandom('group'));
    expect(stateOf(log)).toMatchObject({
      subject: 'trio',
      lifetime: 0,
      members: [{ address: ada.account, key: ada.key, role: 'administrator', since: log.group }],
      invited: [],
      links: [],
      overruled: [],
    });
    expect(log.address).toMatch(/^sip:[\w-]{43}@group\.invalid$/);
  });

  it('has who was invited only once that one joined', () => {
    const group = Group.by(ada);
    group.invite(ada, bob, cyn);
    expect(group.members).toBe('ADA');
    expect(stateOf(group.log).invited.map(({ address }) => address)).toEqual([bob.account, cyn.account]);
    group.join(bob);
    expect(group.members).toBe('ADA bob');
    expect(stateOf(group.log).invited.map(({ address }) => address)).toEqual([cyn.account]);
  });

  it('has LIME accounts without a key at once', () => {
    const group = Group.by(ada);
    const address = parseAccountAddress('sip:eve@sip.linphone.org');
    group.act(ada, { kind: 'invite', members: [{ address, key: new Uint8Array(0) }] });
    expect(memberOf(stateOf(group.log), address)).toMatchObject({ key: undefined, role: 'member' });
    expect(() => group.act(ada, { kind: 'promote', member: address })).toThrow(
      expect.objectContaining({ code: 'no-account-key' }),
    );
    group.act(ada, { kind: 'remove', member: address });
    expect(group.members).toBe('ADA');
  });

  it('lets who left, declined or was removed back in by a new invitation only', () => {
    const group = Group.by(ada);
    group.invite(ada, bob, cyn);
    const { invitation } = stateOf(group.log).invited[0]!;
    group.join(bob);
    group.act(cyn, { kind: 'leave', invitation });
    group.leave(bob);
    expect(group.members).toBe('ADA');
    expect(() => group.act(bob, { kind: 'join', invitation })).toThrow(
      expect.objectContaining({ code: 'not-invited' }),
    );
    expect(() => group.act(cyn, { kind: 'join', invitation })).toThrow(
      expect.objectContaining({ code: 'not-invited' }),
    );
    group.bring(ada, bob);
    expect(group.members).toBe('ADA bob');
    group.remove(ada, bob);
    expect(() => group.act(bob, { kind: 'join', invitation })).toThrow(
      expect.objectContaining({ code: 'not-invited' }),
    );
    group.bring(ada, bob);
    expect(group.members).toBe('ADA bob');
  });

  it('has several administrators, who may step down, and be no more than members when they come back', () => {
    const group = Group.by(ada);
    group.bring(ada, bob, 'administrator');
    group.bring(bob, cyn, 'administrator');
    expect(group.members).toBe('ADA BOB CYN');
    group.demote(cyn, cyn);
    group.remove(bob, ada);
    expect(group.members).toBe('BOB cyn');
    group.bring(bob, ada);
    expect(group.members).toBe('BOB cyn ada');
  });

  it('has a subject, a picture and a timer', () => {
    const group = Group.by(ada);
    group.rename(ada, 'trio of jazz');
    group.act(ada, { kind: 'picture', descriptor: Uint8Array.of(1, 2, 3) });
    group.act(ada, { kind: 'timer', lifetime: 3_600 });
    expect(stateOf(group.log)).toMatchObject({
      subject: 'trio of jazz',
      picture: Uint8Array.of(1, 2, 3),
      lifetime: 3_600,
    });
    group.act(ada, { kind: 'picture', descriptor: new Uint8Array(0) });
    expect(stateOf(group.log).picture).toBeUndefined();
  });

  it('is joined by links, as long and as often as they say', () => {
    const group = Group.by(ada);
    const { log, link } = makeLink(group.log, ada, { expiresAt: AT + 1_000, uses: 2 }, seededRandom('link'));
    const one = joinByLink(log, bob, link).log;
    expect(namesIn(one)).toBe('ADA bob');
    expect(() => joinByLink(one, { ...cyn, at: AT + 1_001 }, link)).toThrow(
      expect.objectContaining({ code: 'link-expired' }),
    );
    const two = joinByLink(one, cyn, link).log;
    expect(() => joinByLink(two, dan, link)).toThrow(expect.objectContaining({ code: 'link-used-up' }));
    expect(endedLinks(stateOf(one), AT + 1_000)).toEqual([]);
    expect(endedLinks(stateOf(one), AT + 1_001)).toHaveLength(1);
    expect(endedLinks(stateOf(two), AT)).toMatchObject([{ by: ada.account, uses: 2, used: 2 }]);
    const over = makeEvent(two, ada, { kind: 'link-revoked', link: link.link }).log;
    expect(stateOf(over).links).toEqual([]);
    expect(namesIn(over)).toBe('ADA bob cyn');
    expect(() => joinByLink(over, dan, link)).toThrow(expect.objectContaining({ code: 'no-such-link' }));
  });

  it('lets back in by a link who left, and not who was removed', () => {
    const group = Group.by(ada);
    const { log, link } = makeLink(group.log, ada, {}, seededRandom('link'));
    group.log = joinByLink(log, bob, link).log;
    group.leave(bob);
    group.log = joinByLink(group.log, bob, link).log;
    expect(group.members).toBe('ADA bob');
    group.remove(ada, bob);
    expect(() => joinByLink(group.log, bob, link)).toThrow(expect.objectContaining({ code: 'was-removed' }));
  });

  it('is the same after it was kept, and on another provider of primitives', () => {
    const group = Group.by(ada);
    group.bring(ada, bob, 'administrator');
    group.rename(bob, 'two');
    for (const log of [
      Log.decode(crypto, group.log.encode()),
      Log.received(nobleCrypto(), group.log.group, group.log.since([])).log,
    ])
      expect(stateOf(log)).toEqual(stateOf(group.log));
  });

  it('tells what somebody lacks, and what it said to who knew less', () => {
    const group = Group.by(ada);
    group.bring(ada, bob);
    const { heads } = group.log;
    const later = [group.rename(ada, 'two'), group.remove(ada, bob)];
    expect(group.log.since(heads)).toEqual(later);
    expect(group.log.since(group.log.heads)).toEqual([]);
    expect(memberOf(stateOf(group.log, heads), bob.account)).toBeDefined();
    expect(memberOf(stateOf(group.log), bob.account)).toBeUndefined();
  });
});

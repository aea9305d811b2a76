/** One plaintext to several devices of both kinds (lime-protocol section 8). */
import { describe, expect } from '@jest/globals';
import type { Policy } from '@sealwire/lime/policy';
import { parseDeviceId } from '@sealwire/wire/ids';
import { type Correspondent, DIRECTIONS, headerOf, type Kind } from './correspondent.ts';
import type { Suite } from './suite.ts';

const GROUP = 'sip:friends@conf.example.org';
/** For three recipients: the longest content that a policy sends in the direct form. */
const LONGEST_DIRECT: readonly (readonly [Policy, number])[] = [
  ['DRMessage', Number.POSITIVE_INFINITY],
  ['cipherMessage', -1],
  ['optimizeUploadSize', 56],
  ['optimizeGlobalBandwidth', 128],
];
const LENGTHS = [0, 56, 57, 128, 129, 5_000];

export function groups({ curve, world, it }: Suite): void {
  describe('a group of two liblime devices and two of ours', () => {
    it('everybody to everybody, all policies on both sides of their bounds', async () => {
      const members: Correspondent[] = [];
      for (const kind of ['liblime', 'ours', 'liblime', 'ours'] as const)
        members.push(await world().device(kind, curve));
      for (const [policy, longestDirect] of LONGEST_DIRECT) {
        for (const length of LENGTHS) {
          for (const sender of members) {
            const others = members.filter((member) => member !== sender);
            const content = `${sender.kind[0]}`.repeat(length);
            const letters = await sender.write(others, content, { policy, user: GROUP });
            expect(letters.map(({ to }) => to)).toEqual(others.map(({ device }) => device));
            expect(new Set(letters.map(({ cipherMessage }) => cipherMessage)).size).toBe(1);
            for (const [i, letter] of letters.entries()) {
              expect(headerOf(letter, curve).direct).toBe(length <= longestDirect);
              expect(await others[i]!.read(letter)).toMatchObject({ content });
            }
          }
        }
      }
    });

    it('devices without keys and without one-time prekeys: those fail alone, these are served', async () => {
      for (const [from] of DIRECTIONS) {
        const sender = await world().device(from, curve);
        const members: Correspondent[] = [];
        for (const kind of ['liblime', 'ours'] as const) {
          members.push(await world().device(kind, curve));
          members.push(await world().device(kind, curve, { oneTimePrekeys: 0 }));
          members.push(await world().device(kind, curve));
          await world().directory.ask(members.at(-1)!.device, { kind: 'deleteUser', suite: curve });
        }
        const reachable = members.filter((_, i) => i % 3 !== 2);
        for (const policy of ['DRMessage', 'cipherMessage'] as const) {
          const letters = await sender.write(members, 'who is there?', { policy, user: GROUP });
          expect(letters.map(({ to }) => to)).toEqual(reachable.map(({ device }) => device));
          expect(letters.map((letter) => headerOf(letter, curve).init?.withOneTime)).toEqual([
            true,
            false,
            true,
            false,
          ]);
          for (const [i, letter] of letters.entries())
            expect(await reachable[i]!.read(letter)).toMatchObject({ content: 'who is there?' });
        }
        // What was missing comes back, and is served with the others.
        for (const member of members) await member.update();
        const letters = await sender.write(members, 'all of you', { user: GROUP });
        for (const [i, letter] of letters.entries())
          expect(await members[i]!.read(letter)).toMatchObject({ content: 'all of you' });
        expect(letters).toHaveLength(members.length);
      }
    });

    it('one person on two kinds of devices: each conversation has its own copy on the other device', async () => {
      const person = async (name: string, first: Kind, second: Kind) => {
        const id = (device: string) =>
          parseDeviceId(`sip:${name}-${curve}@example.org;gr=urn:uuid:${name}-${curve}-${device}`);
        return [
          await world().device(first, curve, { device: id('phone') }),
          await world().device(second, curve, { device: id('desk') }),
        ] as const;
      };
      const [alice, bob] = [await person('alice', 'liblime', 'ours'), await person('bob', 'ours', 'liblime')];
      for (const [speaker, listener] of [
        [alice, bob],
        [bob, alice],
        [alice, bob],
      ] as const) {
        for (const from of speaker) {
          const to = [...listener, ...speaker.filter((other) => other !== from)];
          const user = listener[0].user;
          const letters = await from.write(to, `from ${from.device}`, { policy: 'cipherMessage', user });
          expect(letters).toHaveLength(3);
          for (const [i, letter] of letters.entries())
            expect(await to[i]!.read(letter)).toMatchObject({ content: `from ${from.device}` });
        }
      }
    });
  });
}

/** One plaintext to several devices of both kinds (lime-protocol section 8). */
import { describe, expect } from '@jest/globals';
import type { Policy } from '@sealwire/lime/policy';
import { type Correspondent, headerOf } from './correspondent.ts';
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
  });
}

import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { formatRecoveryKey, parseRecoveryKey } from './recovery-key.ts';

const crypto = nobleCrypto();
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
const key = formatRecoveryKey(crypto, secret);
const groups = key.split(/\s/);

const reasonFor = (text: string): string => {
  try {
    parseRecoveryKey(crypto, text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'taken';
};
const withGroup = (at: number, group: string) => groups.map((one, i) => (i === at ? group : one)).join(' ');

describe('a recovery key', () => {
  it('is two lines of seven groups of five characters', () => {
    expect(key).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{5}[ \n]){13}[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(key.split('\n').map((line) => line.split(' ').length)).toEqual([7, 7]);
    // As it was printed with the first version: what is on paper must be read for ever.
    expect(key).toBe(
      ['2088V 1WB1X T91BT 68WMH 0HTEY ANE6W 6TKHX', 'F1ZR8 D3CMQ KEHAS KC5Q2 QV2W7 SMYTQ RSZVZ'].join('\n'),
    );
  });

  it('stands for its secret, whichever that is', () => {
    const random = seededRandom(5);
    for (const one of [
      new Uint8Array(32),
      new Uint8Array(32).fill(255),
      ...Array.from({ length: 50 }, () => random(32)),
    ])
      expect(parseRecoveryKey(crypto, formatRecoveryKey(crypto, one))).toEqual(one);
    expect(() => formatRecoveryKey(crypto, new Uint8Array(31))).toThrow(RangeError);
  });

  it('is read in small letters, with hyphens, without gaps, and with letters that look like digits', () => {
    const lookalikes = key.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l');
    for (const typed of [lookalikes, key.replaceAll('1', 'I'), groups.join('-'), groups.join(''), `\n  ${key}\t\n`])
      expect(parseRecoveryKey(crypto, typed)).toEqual(secret);
  });
});

describe('T185: a mistake in a recovery key is found, and its group is named', () => {
  it('any one wrong character', () => {
    for (const [at, group] of groups.entries())
      for (const [place, right] of [...group].entries())
        for (const wrong of ALPHABET) {
          if (wrong === right) continue;
          const typed = withGroup(at, group.slice(0, place) + wrong + group.slice(place + 1));
          expect(reasonFor(typed)).toContain(`mistake in group ${at + 1},`);
        }
  });

  it('two characters of a group, or two groups, exchanged', () => {
    for (const [at, group] of groups.entries())
      for (let place = 0; place < 4; place++) {
        const [a, b] = [group[place]!, group[place + 1]!];
        const typed = withGroup(at, group.slice(0, place) + b + a + group.slice(place + 2));
        expect(reasonFor(typed)).toContain(a === b ? 'taken' : `mistake in group ${at + 1},`);
      }
    for (let at = 0; at < groups.length - 1; at++) {
      const exchanged = [...groups];
      exchanged.splice(at, 2, groups[at + 1]!, groups[at]!);
      expect(reasonFor(exchanged.join(' '))).toContain(`mistake in group ${at + 1},`);
    }
  });

  it.each([
    ['a character too few', withGroup(3, groups[3]!.slice(1)), 'group 4 has 4 characters'],
    ['a character that is in none', withGroup(9, 'U0000'), 'group 10 has a character that is in no recovery key'],
    ['a sign of another script', withGroup(0, '٠٠٠٠٠'), 'group 1 has a character that is in no recovery key'],
    ['a group left out', groups.toSpliced(5, 1).join(' '), 'mistake in group 6,'],
    ['the last group left out', groups.slice(0, 13).join(' '), 'has 14 groups of 5 characters, and here are 13'],
    ['a group too many', [...groups, '00000'].join(' '), 'mistake in group 15,'],
    ['nothing', ' \n', 'here are 0'],
  ])('%s', (_, typed, reason) => {
    expect(reasonFor(typed)).toContain(reason);
  });

  it('several that no group shows are found by all together; and no text repeats what was typed', () => {
    const others = formatRecoveryKey(
      crypto,
      secret.map((byte) => byte ^ 255),
    ).split(/\s/);
    expect(reasonFor(withGroup(2, others[2]!))).toContain('all together are none');
    for (const typed of [withGroup(2, others[2]!), withGroup(3, groups[3]!.slice(1)), withGroup(9, 'U0000')])
      for (const group of typed.split(' ')) expect(reasonFor(typed)).not.toContain(group);
  });
});

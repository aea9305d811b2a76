import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  allowedEntry,
  allowedSet,
  CONTACT_LIST,
  CONTACT_RULES,
  isAllowed,
  isAllowedSet,
  NO_RULES,
} from './contacts.ts';
import type { AccountAddress } from './ids.ts';

const sha256 = (data: Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest());
const salt = new Uint8Array(16).fill(7);
const address = (n: number) => `sip:n${n}@example.org` as AccountAddress;
const entry = (n: number) => allowedEntry(sha256, salt, address(n));

describe('the set of those who may write', () => {
  it('has who was put into it, and nobody else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300), { maxLength: 60 }), fc.nat(300), (numbers, asked) => {
        const set = allowedSet([...numbers, ...numbers.slice(0, 2)].map(entry));
        expect(set).toHaveLength(8 * numbers.length);
        expect(isAllowedSet(set)).toBe(true);
        expect(isAllowed(set, entry(asked))).toBe(numbers.includes(asked));
      }),
    );
  });

  it('names an account otherwise under another salt', () => {
    expect(entry(1)).toHaveLength(8);
    expect(allowedEntry(sha256, new Uint8Array(16), address(1))).not.toEqual(entry(1));
    expect(Buffer.from(entry(1)).toString('hex')).toBe(
      createHash('sha256')
        .update(`sealwire/allowed/v1\0${'\x07'.repeat(16)}sip:n1@example.org`)
        .digest('hex')
        .slice(0, 16),
    );
  });

  it('in the rules is whole, in order, and names nobody twice', () => {
    const rules = { ...NO_RULES, policy: 'requests' as const, salt, allowed: allowedSet([entry(1), entry(2)]) };
    const decode = (allowed: Uint8Array) => CONTACT_RULES.decode(CONTACT_RULES.encode({ ...rules, allowed }), 'bad');
    expect(decode(rules.allowed)).toEqual(rules);
    expect(() => decode(rules.allowed.slice(1))).toThrow('not whole, or not in order');
    const turned = Uint8Array.from([...rules.allowed.slice(8), ...rules.allowed.slice(0, 8)]);
    expect(() => decode(turned)).toThrow('not whole, or not in order');
    expect(() => decode(Uint8Array.from([...entry(1), ...entry(1)]))).toThrow('not whole, or not in order');
  });
});

describe('the list', () => {
  const contact = (n: number) => ({ address: address(n), state: 'contact' as const, name: '', note: '', at: n });
  const list = (entries: ReturnType<typeof contact>[]) => ({
    policy: 'everyone' as const,
    policyAt: 0,
    entries,
    verdicts: [],
    timers: [],
  });

  it('has a thousand entries, and not one more', () => {
    const all = Array.from({ length: 1_000 }, (_, n) => contact(n));
    expect(CONTACT_LIST.decode(CONTACT_LIST.encode(list(all)), 'bad').entries).toHaveLength(1_000);
    expect(() => CONTACT_LIST.encode(list([...all, contact(1_000)]))).toThrow('more than 1000 entries');
  });

  it('takes no longer names and notes', () => {
    for (const longer of [{ name: 'x'.repeat(129) }, { note: 'x'.repeat(513) }])
      expect(() => CONTACT_LIST.decode(CONTACT_LIST.encode(list([{ ...contact(1), ...longer }])), 'bad')).toThrow();
  });
});

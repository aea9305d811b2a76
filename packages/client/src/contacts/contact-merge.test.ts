import { describe, expect, it } from '@jest/globals';
import type { ContactEntry, ContactPolicy } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { entriesOf, laterPolicy, mergeEntries, superfluous } from './contact-merge.ts';

const address = (n: number) => `sip:n${n}@example.org` as AccountAddress;
const entry: fc.Arbitrary<ContactEntry> = fc.record({
  address: fc.nat(5).map(address),
  state: fc.constantFrom('contact', 'known', 'removed'),
  name: fc.constantFrom('', 'a', 'b'),
  note: fc.constantFrom('', 'x'),
  at: fc.nat(4),
});
const list = fc.array(entry, { maxLength: 8 }).map((entries) => entriesOf({ entries }));
const sorted = (entries: ReadonlyMap<string, ContactEntry>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

describe('merging contact lists', () => {
  it('gives the same, whoever merges with whom first, and however often', () => {
    fc.assert(
      fc.property(list, list, list, (a, b, c) => {
        expect(sorted(mergeEntries(a, b))).toEqual(sorted(mergeEntries(b, a)));
        expect(sorted(mergeEntries(mergeEntries(a, b), c))).toEqual(sorted(mergeEntries(a, mergeEntries(b, c))));
        expect(sorted(mergeEntries(a, a))).toEqual(sorted(a));
        expect(sorted(mergeEntries(mergeEntries(a, b), b))).toEqual(sorted(mergeEntries(a, b)));
      }),
    );
  });

  it('loses no later word: neither a change nor a removal comes back', () => {
    fc.assert(
      fc.property(list, list, (a, b) => {
        const merged = mergeEntries(a, b);
        for (const side of [a, b])
          for (const [of, word] of side) expect(merged.get(of)!.at).toBeGreaterThanOrEqual(word.at);
        for (const [of, word] of merged) expect([a.get(of), b.get(of)]).toContain(word);
      }),
    );
  });

  it('of policies of the same time takes the stricter, on whichever side it is', () => {
    const policy = (name: ContactPolicy, policyAt: number) => ({ policy: name, policyAt });
    for (const [a, b, chosen] of [
      [policy('everyone', 2), policy('contacts', 1), policy('everyone', 2)],
      [policy('everyone', 1), policy('requests', 1), policy('requests', 1)],
      [policy('contacts', 1), policy('requests', 1), policy('contacts', 1)],
    ] as const)
      expect([laterPolicy(a, b), laterPolicy(b, a)]).toEqual([chosen, chosen]);
  });
});

it('a list that becomes too long loses old removals, then accounts that were only written to, and never a contact', () => {
  const of = (n: number, state: ContactEntry['state']) => ({ address: address(n), state, name: '', note: '', at: n });
  const contacts = Array.from({ length: 997 }, (_, n) => of(n, 'contact'));
  const others = [of(997, 'known'), of(998, 'removed'), of(999, 'known'), of(1_000, 'removed'), of(1_001, 'known')];
  expect(superfluous([...contacts, ...others.slice(0, 3)])).toEqual([]);
  expect(superfluous([...contacts, ...others.slice(0, 4)])).toEqual([address(998)]);
  expect(superfluous([...contacts, of(2_000, 'contact'), ...others])).toEqual([998, 1_000, 997].map(address));
  expect(superfluous(Array.from({ length: 1_003 }, (_, n) => of(n, 'contact')))).toEqual([]);
});

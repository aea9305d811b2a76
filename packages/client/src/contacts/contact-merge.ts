/**
 * What becomes of a contact list that devices have changed without knowing of each other (docs/spec/contacts.md section 3): of each entry,
 * and of the policy, the later word; a removal is a word as any other.
 */
import { CONTACT_POLICIES, type ContactEntry, type ContactList } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';

type Entries = ReadonlyMap<AccountAddress, ContactEntry>;

export function entriesOf({ entries }: Pick<ContactList, 'entries'>): Map<AccountAddress, ContactEntry> {
  return new Map(entries.map((entry) => [entry.address, entry]));
}

/** Of two words on one account. At the same time, the one that is greater as a text: all devices choose the same one. */
function laterEntry(a: ContactEntry, b: ContactEntry): ContactEntry {
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return textOf(a) >= textOf(b) ? a : b;
}

export function mergeEntries(a: Entries, b: Entries): Map<AccountAddress, ContactEntry> {
  const merged = new Map(a);
  for (const [address, entry] of b) {
    const other = merged.get(address);
    merged.set(address, other ? laterEntry(other, entry) : entry);
  }
  return merged;
}

type Policy = Pick<ContactList, 'policy' | 'policyAt'>;

/** At the same time, the stricter one. */
export function laterPolicy(a: Policy, b: Policy): Policy {
  if (a.policyAt !== b.policyAt) return a.policyAt > b.policyAt ? a : b;
  return CONTACT_POLICIES.indexOf(a.policy) >= CONTACT_POLICIES.indexOf(b.policy) ? a : b;
}

export function isSameEntry(a: ContactEntry | undefined, b: ContactEntry | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && textOf(a) === textOf(b));
}

/** Which to leave out, so that the list does not become too long: removals, the oldest first, then accounts that were only written to. */
export function superfluous(entries: Iterable<ContactEntry>): AccountAddress[] {
  const all = [...entries];
  const excess = all.length - LIMITS.contactsPerAccount.value;
  if (excess <= 0) return [];
  const oldest = (state: ContactEntry['state']) =>
    all.filter((entry) => entry.state === state).sort((a, b) => a.at - b.at);
  return [...oldest('removed'), ...oldest('known')].slice(0, excess).map(({ address }) => address);
}

function textOf({ address, state, name, note, at }: ContactEntry): string {
  return JSON.stringify([at, state, name, note, address]);
}

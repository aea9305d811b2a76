/**
 * Whom an account knows, and who may write to it (`proto/contacts.proto`, docs/spec/contacts.md): the list that its devices encrypt, and
 * the rules by which the relay keeps others out.
 */
import type { AccountAddress } from './ids.ts';
import { joined } from './joined.ts';
import { LIMITS } from './limits.ts';
import {
  address,
  bytes,
  choice,
  exactly,
  list,
  type MessageOf,
  MessageType,
  message,
  text,
  uint,
} from './protobuf/fields.ts';

export const CONTACT_POLICIES = ['everyone', 'requests', 'contacts'] as const;
export type ContactPolicy = (typeof CONTACT_POLICIES)[number];

/** In UTF-8. */
export const CONTACT_NAME_BYTES = 128;
export const CONTACT_NOTE_BYTES = 512;
export const ALLOWED_SALT_BYTES = 16;
export const ALLOWED_ENTRY_BYTES = 8;

const ENTRIES = LIMITS.contactsPerAccount.value;

/** What a device encrypts. Decoding refuses what breaks a limit. */
export const CONTACT_LIST = new MessageType({
  policy: choice(1, CONTACT_POLICIES),
  policyAt: uint(2),
  entries: list(
    message(3, {
      address: address(1),
      state: choice(2, ['contact', 'known', 'removed']),
      name: text(3, CONTACT_NAME_BYTES),
      note: text(4, CONTACT_NOTE_BYTES),
      at: uint(5),
    }),
    ENTRIES,
  ),
  /** What the user has found out about accounts, by their account key (docs/spec/verification.md section 9). */
  verdicts: list(
    message(4, {
      address: address(1),
      state: choice(2, ['verified', 'withdrawn', 'different']),
      accountKey: exactly(3, 32),
      at: uint(4),
    }),
    LIMITS.verdictsPerAccount.value,
  ),
  /** How long what is written to accounts may be shown, in seconds; 0: no end (docs/spec/messages.md section 6). */
  timers: list(message(5, { address: address(1), lifetime: uint(2), at: uint(3) }), LIMITS.timersPerAccount.value),
});
export type ContactList = MessageOf<typeof CONTACT_LIST>;
export type ContactEntry = ContactList['entries'][number];
export type ContactTimer = ContactList['timers'][number];
export type ContactVerdict = ContactList['verdicts'][number];

/** What the server has of it. `allowed`: entries of `ALLOWED_ENTRY_BYTES`, ascending. */
export const CONTACT_RULES = new MessageType(
  {
    policy: choice(1, CONTACT_POLICIES),
    listVersion: uint(2),
    salt: bytes(3, ALLOWED_SALT_BYTES),
    allowed: bytes(4, ENTRIES * ALLOWED_ENTRY_BYTES),
    blocked: list(address(5), LIMITS.blocksPerAccount.value),
  },
  {
    check({ allowed }, reader) {
      if (!isAllowedSet(allowed)) reader.fail('a set that is not whole, or not in order');
    },
  },
);
export type ContactRules = MessageOf<typeof CONTACT_RULES>;

export const NO_RULES: ContactRules = {
  policy: 'everyone',
  listVersion: 0,
  salt: new Uint8Array(0),
  allowed: new Uint8Array(0),
  blocked: [],
};

const CONTEXT = new TextEncoder().encode('sealwire/allowed/v1\0');

/** `account` as the set of those who may write has it: the first bytes of a SHA-256 under the salt of the account whose set it is. */
export function allowedEntry(
  sha256: (data: Uint8Array) => Uint8Array,
  salt: Uint8Array,
  account: AccountAddress,
): Uint8Array {
  return sha256(joined([CONTEXT, salt, new TextEncoder().encode(account)])).slice(0, ALLOWED_ENTRY_BYTES);
}

/** The set of these entries. */
export function allowedSet(entries: readonly Uint8Array[]): Uint8Array {
  const ascending = entries.toSorted(compare);
  return joined(ascending.filter((entry, i) => i === 0 || compare(ascending[i - 1]!, entry) !== 0));
}

/** Whether `bytes` are whole entries, ascending, none twice. */
export function isAllowedSet(set: Uint8Array): boolean {
  if (set.length % ALLOWED_ENTRY_BYTES !== 0) return false;
  for (let at = ALLOWED_ENTRY_BYTES; at < set.length; at += ALLOWED_ENTRY_BYTES)
    if (compare(entryAt(set, at - ALLOWED_ENTRY_BYTES), entryAt(set, at)) >= 0) return false;
  return true;
}

/** Whether `set` has `entry`. */
export function isAllowed(set: Uint8Array, entry: Uint8Array): boolean {
  let low = 0;
  let high = set.length / ALLOWED_ENTRY_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compare(entryAt(set, middle * ALLOWED_ENTRY_BYTES), entry);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

function entryAt(set: Uint8Array, at: number): Uint8Array {
  return set.subarray(at, at + ALLOWED_ENTRY_BYTES);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < ALLOWED_ENTRY_BYTES; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

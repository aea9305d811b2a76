/**
 * The events of a group's membership log: `proto/group.proto`, docs/spec/groups.md section 2. Canonical bytes, signed by the account key
 * of who acts, chained by hash to what that one knew. Here is their form; which of them count, `packages/membership` says.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { LONGEST_LIFETIME } from './envelope.ts';
import { type AccountAddress, domainOf, nameOf, parseAccountAddress } from './ids.ts';
import { LIMITS } from './limits.ts';
import {
  address,
  bytes,
  exactly,
  list,
  type MessageOf,
  MessageType,
  message,
  Oneof,
  text,
  uint,
  type VariantOf,
} from './protobuf/fields.ts';
import { Reader } from './protobuf/reader.ts';
import { WireError } from './wire-error.ts';

/** Bytes of a hash of an event, of a group's id and of an account key. */
export const GROUP_HASH_BYTES = 32;
export const GROUP_SUBJECT_BYTES = 256;
export const GROUP_PICTURE_BYTES = 20_480;
/** Hashes that one event names beside the actor's own event before. */
export const GROUP_PARENTS = 32;
/** Accounts that one event invites. */
export const GROUP_INVITED = 64;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const REFUSED = 'bad-group-event';
/** Canonical: in what is signed nothing is skipped. */
const CLOSED = { closed: true };

const GROUP_DOMAIN = 'group.invalid';
const SIGNING_PREFIX = new TextEncoder().encode('sealwire/group-event/v1\0');

const member = { member: address(1) };

export const GROUP_ACTION = new Oneof({
  create: message(
    1,
    { nonce: exactly(1, 32), key: exactly(2, KEY_BYTES), subject: text(3, GROUP_SUBJECT_BYTES) },
    CLOSED,
  ),
  invite: message(
    2,
    { members: list(message(1, { address: address(1), key: bytes(2, KEY_BYTES) }, CLOSED), GROUP_INVITED) },
    CLOSED,
  ),
  join: message(3, { invitation: exactly(1, GROUP_HASH_BYTES) }, CLOSED),
  'join-link': message(
    4,
    { link: exactly(1, GROUP_HASH_BYTES), key: exactly(2, KEY_BYTES), proof: exactly(3, SIGNATURE_BYTES) },
    CLOSED,
  ),
  leave: message(5, { invitation: bytes(1, GROUP_HASH_BYTES) }, CLOSED),
  remove: message(6, member, CLOSED),
  promote: message(7, member, CLOSED),
  demote: message(8, member, CLOSED),
  rename: message(9, { subject: text(1, GROUP_SUBJECT_BYTES) }, CLOSED),
  picture: message(10, { descriptor: bytes(1, GROUP_PICTURE_BYTES) }, CLOSED),
  timer: message(11, { lifetime: uint(1) }, CLOSED),
  'link-made': message(12, { key: exactly(1, KEY_BYTES), expiresAt: uint(2), uses: uint(3) }, CLOSED),
  'link-revoked': message(13, { link: exactly(1, GROUP_HASH_BYTES) }, CLOSED),
});

export const GROUP_EVENT = new MessageType(
  {
    group: bytes(1, GROUP_HASH_BYTES),
    actor: address(2),
    number: uint(3),
    previous: bytes(4, GROUP_HASH_BYTES),
    parents: list(exactly(5, GROUP_HASH_BYTES), GROUP_PARENTS),
    at: uint(6),
    action: bytes(7, LIMITS.groupEventBytes.value),
  },
  CLOSED,
);

const SIGNED = { event: bytes(1, LIMITS.groupEventBytes.value), signature: exactly(2, SIGNATURE_BYTES) };

export const GROUP_EVENTS = new MessageType({ events: list(message(1, SIGNED), LIMITS.groupEvents.value) });

/** What somebody does in a group; `kind` says which. Empty `invitation` of a `leave`: the actor is a member. */
export type GroupAction = VariantOf<typeof GROUP_ACTION>;
/** Empty `group`: the event creates the group. Empty `previous`: the actor's first. */
export type GroupEvent = Omit<MessageOf<typeof GROUP_EVENT>, 'action'> & { readonly action: GroupAction };
/** Canonical bytes of an event, and the signature of the actor's account key over them. */
export type SignedGroupEvent = MessageOf<typeof GROUP_EVENTS>['events'][number];

/** The canonical bytes. Throws `bad-group-event` for what `decodeGroupEvent` would refuse. */
export function encodeGroupEvent(event: GroupEvent): Uint8Array<ArrayBuffer> {
  const encoded = encode(event);
  decodeGroupEvent(encoded);
  return encoded;
}

/**
 * Strict: the canonical encoding of an event that keeps the rules of docs/spec/groups.md section 2 which need neither cryptography nor
 * other events. Byte fields are views. Throws `WireError` `bad-group-event`.
 */
export function decodeGroupEvent(encoded: Uint8Array): GroupEvent {
  if (encoded.length > LIMITS.groupEventBytes.value) throw invalid(`larger than ${LIMITS.groupEventBytes.value} bytes`);
  const fields = GROUP_EVENT.decode(encoded, REFUSED);
  const action = GROUP_ACTION.read(new Reader(fields.action, REFUSED));
  if (!action) throw invalid('an action that this version does not know');
  const event = { ...fields, action };
  checkPlace(event);
  checkAction(event);
  // One event, one encoding: else what says the same would have two hashes.
  if (!isSame(encode(event), encoded)) throw invalid('not the canonical encoding');
  return event;
}

/** What the account key signs: `sealwire/group-event/v1` in ASCII, a zero byte, the event's bytes. */
export function groupEventSigningInput(encoded: Uint8Array): Uint8Array<ArrayBuffer> {
  const input = new Uint8Array(SIGNING_PREFIX.length + encoded.length);
  input.set(SIGNING_PREFIX);
  input.set(encoded, SIGNING_PREFIX.length);
  return input;
}

/** SHA-256 of what is signed: names the event; of the event that creates a group, the group's id. */
export function groupEventHash(crypto: CryptoProvider, encoded: Uint8Array): Uint8Array {
  return crypto.sha256(groupEventSigningInput(encoded));
}

/** Throws `bad-group-event` beyond `groupEvents`. */
export function encodeGroupEvents(events: readonly SignedGroupEvent[]): Uint8Array<ArrayBuffer> {
  return GROUP_EVENTS.encode({ events }, REFUSED);
}

/** What each event says is not looked at. Byte fields are views. Throws `bad-group-event`. */
export function decodeGroupEvents(encoded: Uint8Array): readonly SignedGroupEvent[] {
  return GROUP_EVENTS.decode(encoded, REFUSED).events;
}

/** The address that the messages of a group are encrypted for: docs/spec/groups.md section 1. */
export function groupAddressOf(group: Uint8Array): AccountAddress {
  return parseAccountAddress(`sip:${encodeBase64url(group)}@${GROUP_DOMAIN}`);
}

/** The id of the group whose address this is; undefined: it is no group's. */
export function groupIdOf(address: AccountAddress): Uint8Array | undefined {
  if (domainOf(address) !== GROUP_DOMAIN) return undefined;
  try {
    const id = decodeBase64url(nameOf(address));
    return id.length === GROUP_HASH_BYTES ? id : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function encode({ action, ...fields }: GroupEvent): Uint8Array<ArrayBuffer> {
  return GROUP_EVENT.encode({ ...fields, action: GROUP_ACTION.encode(action) }, REFUSED);
}

/** Where the event stands in the log. */
function checkPlace({ group, actor, number, previous, parents, action }: GroupEvent): void {
  const creates = action.kind === 'create';
  if (group.length !== (creates ? 0 : GROUP_HASH_BYTES))
    throw invalid('a group has an id of 32 bytes from its first event on');
  if (number < 1) throw invalid('numbers begin with 1');
  if (previous.length !== (number === 1 ? 0 : GROUP_HASH_BYTES))
    throw invalid('all but the first event have one before');
  if (creates && number !== 1) throw invalid('a group is created by the first event');
  if (creates ? parents.length > 0 : parents.length === 0 && number === 1)
    throw invalid('only the event that creates a group follows nothing');
  for (const [i, parent] of parents.entries()) {
    if (i > 0 && !isBefore(parents[i - 1]!, parent)) throw invalid('parents out of order');
    if (isSame(parent, previous)) throw invalid('the event before is named twice');
  }
  if (isGroup(actor)) throw invalid('a group does not act');
}

function checkAction({ actor, action }: GroupEvent): void {
  switch (action.kind) {
    case 'invite':
      if (action.members.length === 0) throw invalid('an invitation of nobody');
      if (new Set(action.members.map(({ address }) => address)).size < action.members.length)
        throw invalid('an account is invited twice');
      for (const { address, key } of action.members) {
        if (isGroup(address)) throw invalid('a group is no member');
        if (key.length !== 0 && key.length !== KEY_BYTES) throw invalid('an account key has 32 bytes');
      }
      break;
    case 'leave':
      if (action.invitation.length !== 0 && action.invitation.length !== GROUP_HASH_BYTES)
        throw invalid('a hash has 32 bytes');
      break;
    case 'remove':
      if (action.member === actor) throw invalid('nobody removes oneself: that is to leave');
      break;
    case 'timer':
      if (action.lifetime > LONGEST_LIFETIME) throw invalid('a lifetime is at most a year');
      break;
  }
}

function isGroup(address: AccountAddress): boolean {
  return domainOf(address).toLowerCase() === GROUP_DOMAIN;
}

function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  const i = a.findIndex((byte, at) => byte !== b[at]);
  return i >= 0 && a[i]! < b[i]!;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function invalid(why: string): WireError {
  return new WireError(REFUSED, why);
}

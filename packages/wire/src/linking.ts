/**
 * How a new device becomes one of an account's with the word of a device that is one (docs/spec/linking.md): the code that the new device
 * shows, and the messages that the two leave for each other at a server that reads none of what matters.
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { LIMITS } from './limits.ts';
import { bytes, exactly, type MessageOf, MessageType, uint } from './protobuf/fields.ts';
import { WireError } from './wire-error.ts';

export const LINK_ID_BYTES = 16;
/** X25519. */
export const LINK_KEY_BYTES = 32;
export const LINK_NONCE_BYTES = 16;
/** What one device may give another with its welcome. */
export const HANDOVER_BYTES = 16_384;

/** Who leaves which word, in the order in which they are left (docs/spec/linking.md section 3). */
export const LINK_SLOTS = { commitment: 1, nonce: 2, reveal: 3, entry: 4, welcome: 5 } as const;
export type LinkSlot = (typeof LINK_SLOTS)[keyof typeof LINK_SLOTS];
/** Those of the device that belongs to the account. */
export const OLD_DEVICE_SLOTS: readonly LinkSlot[] = [LINK_SLOTS.commitment, LINK_SLOTS.reveal, LINK_SLOTS.welcome];
export const NEW_DEVICE_SLOTS: readonly LinkSlot[] = [LINK_SLOTS.nonce, LINK_SLOTS.entry];

const PREFIX = 'sealwire-link-1:';
const REFUSED = 'bad-link-code';

/** What the new device shows, for a camera or to be typed. */
export interface LinkCode {
  /** Of the channel at the server. */
  readonly id: Uint8Array;
  /** X25519, of the new device, for this once. */
  readonly key: Uint8Array;
}

export function formatLinkCode({ id, key }: LinkCode): string {
  return PREFIX + encodeBase64url(Uint8Array.from([...id, ...key]));
}

/** Throws `WireError` `bad-link-code`. */
export function parseLinkCode(text: string): LinkCode {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) throw new WireError(REFUSED, `a link code begins with ${PREFIX}`);
  let all: Uint8Array;
  try {
    all = decodeBase64url(trimmed.slice(PREFIX.length));
  } catch {
    throw new WireError(REFUSED, 'the link code is not whole: copy it again');
  }
  if (all.length !== LINK_ID_BYTES + LINK_KEY_BYTES)
    throw new WireError(REFUSED, 'the link code is not whole: copy it again');
  return { id: all.slice(0, LINK_ID_BYTES), key: all.slice(LINK_ID_BYTES) };
}

/** The old device shows what it committed itself to. */
export const LINK_REVEAL = new MessageType({
  key: exactly(1, LINK_KEY_BYTES),
  salt: exactly(2, LINK_NONCE_BYTES),
});

export const LINK_WELCOME = new MessageType({
  accountKey: exactly(1, 32),
  accountSeed: bytes(2, 32),
  handover: bytes(3, HANDOVER_BYTES),
  contactsKey: bytes(4, 32),
});

/** What the old device says once the account's list names the new one. */
export interface Welcome {
  /** Ed25519: under which the list is signed. */
  readonly accountKey: Uint8Array;
  /** For a device that may change the list itself. */
  readonly accountSeed: Uint8Array | undefined;
  /** The application's; may be empty. */
  readonly handover: Uint8Array;
  /** Under which the account's devices encrypt its contact list (docs/spec/contacts.md section 2). */
  readonly contactsKey: Uint8Array | undefined;
}

export function encodeWelcome({ accountSeed, contactsKey, ...welcome }: Welcome): Uint8Array {
  const none = new Uint8Array(0);
  const keys = { accountSeed: accountSeed ?? none, contactsKey: contactsKey ?? none };
  return LINK_WELCOME.encode({ ...welcome, ...keys }, 'bad-link-message');
}

/** Throws `WireError` `bad-link-message`. */
export function decodeWelcome(message: Uint8Array): Welcome {
  const { accountSeed, contactsKey, ...welcome } = LINK_WELCOME.decode(message, 'bad-link-message');
  for (const key of [accountSeed, contactsKey])
    if (key.length % 32 !== 0) throw new WireError('bad-link-message', 'a secret has 32 bytes');
  const given = (key: Uint8Array) => (key.length > 0 ? key : undefined);
  return { ...welcome, accountSeed: given(accountSeed), contactsKey: given(contactsKey) };
}

/** All API servers listen here: what one of them is given for a channel, the others need too. */
export const LINKS_CHANNEL = 'sealwire.links';

/** A word of one device for the other; with slot 0 the news that there is such a channel. */
export const LINK_MESSAGE = new MessageType({
  id: exactly(1, LINK_ID_BYTES),
  slot: uint(2),
  message: bytes(3, LIMITS.linkMessageBytes.value),
  expiresAt: uint(4),
});

export type LinkMessage = MessageOf<typeof LINK_MESSAGE>;

/** Names as bytes: device ids and addressees enter keys and messages as their exact UTF-8. */
import type { DeviceId } from '@sealwire/wire/ids';

const utf8 = new TextEncoder();

/** The addressee as both sides write it: a user's or group's URI, or any bytes they agree on. */
export type RecipientUser = string | Uint8Array;

export function recipientUserBytes(user: RecipientUser): Uint8Array {
  return typeof user === 'string' ? encoded(user) : user;
}

export function deviceBytes(device: DeviceId): Uint8Array {
  return encoded(device);
}

/** Names come back with every message: five of them a message, 0.5 us each when encoded anew. */
const ENCODED_NAMES = 2000;
const encodedNames = new Map<string, Uint8Array>();

function encoded(name: string): Uint8Array {
  const known = encodedNames.get(name);
  if (known) return known;
  if (encodedNames.size >= ENCODED_NAMES) encodedNames.clear();
  const bytes = utf8.encode(name);
  encodedNames.set(name, bytes);
  return bytes;
}

/** What a message is bound to besides its own bytes (lime-protocol section 8). All ids are their exact UTF-8 bytes. */
import type { DeviceId } from '@sealwire/wire/ids';
import { TAG_BYTES } from '../ratchet/message-key.ts';

const utf8 = new TextEncoder();

/** The addressee as both sides write it: a user's or group's URI, or any bytes they agree on. */
export type RecipientUser = string | Uint8Array;

/** AD in its parts, to be joined once with what follows: every copy costs as much as a hash block. */
export type AssociatedData = readonly Uint8Array[];

/**
 * AD of a ratchet message. Direct form: recipient user | source device | recipient device. Seed form: the tag of the cipherMessage takes the
 * place of the recipient user.
 */
export function associatedDataOf(
  source: DeviceId,
  recipient: DeviceId,
  recipientUser: Uint8Array,
  cipherMessage: Uint8Array | undefined,
): AssociatedData {
  const bound = cipherMessage ? cipherMessage.subarray(cipherMessage.length - TAG_BYTES) : recipientUser;
  return [bound, deviceBytes(source), deviceBytes(recipient)];
}

export function recipientUserBytes(user: RecipientUser): Uint8Array {
  return typeof user === 'string' ? encoded(user) : user;
}

export function deviceBytes(device: DeviceId): Uint8Array {
  return encoded(device);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
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

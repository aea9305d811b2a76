/** What a message is bound to besides its own bytes (lime-protocol section 8). All ids are their exact UTF-8 bytes. */
import type { DeviceId } from '@sealwire/wire/ids';
import { TAG_BYTES } from './message-key.ts';

const utf8 = new TextEncoder();

/** The addressee as both sides write it: a user's or group's URI, or any bytes they agree on. */
export type RecipientUser = string | Uint8Array;

export function recipientUserBytes(user: RecipientUser): Uint8Array {
  return typeof user === 'string' ? utf8.encode(user) : user;
}

export function deviceBytes(device: DeviceId): Uint8Array {
  return utf8.encode(device);
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

/**
 * The part of a ratchet message's associated data before the recipient device, the same for all recipients:
 * direct form: recipient user | source device; seed form: tag of the cipherMessage | source device.
 */
export function associatedDataStem(
  source: DeviceId,
  recipientUser: Uint8Array,
  cipherMessage: Uint8Array | undefined,
): Uint8Array {
  const bound = cipherMessage ? cipherMessage.subarray(cipherMessage.length - TAG_BYTES) : recipientUser;
  return concat(bound, deviceBytes(source));
}

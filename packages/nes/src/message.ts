/**
 * One message (docs/spec/nes.md section 2): sealed for one recipient, byte for byte as the genuine client would, and opened by stricter rules
 * than its own; the table there names each of them.
 */

import { NesError } from './errors.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import { goJson } from './go-json.ts';
import type { KeyObject } from './keys.ts';
import { decrypt, encrypt, KEY_BYTES, unwrap, wrap } from './primitives.ts';
import { type MessageId, messageIdOf, type ReplayMemory } from './replay-memory.ts';
import { modulusBytes, sign, verify } from './signature.ts';
import { isUsername, type Username } from './username.ts';

/** A message this far from our clock is shown with a mark: nothing else tells a replay from a late one. */
export const NEAR_MS = 24 * 60 * 60_000;

export interface NesMessage {
  readonly from: Username;
  readonly to: Username;
  /** ms since 1970, by the sender's clock. */
  readonly timestamp: number;
  readonly message: string;
}

export interface OpenedMessage extends NesMessage {
  /** Its time is more than a day from ours. */
  readonly isFarInTime: boolean;
  /** What `replays` knows it by. */
  readonly id: MessageId;
}

export interface SealingKeys {
  /** The recipient's, for messages. */
  readonly messageKey: KeyObject;
  /** The sender's own, for signing. */
  readonly signKey: KeyObject;
  /** Cryptographically secure. */
  readonly random: (length: number) => Uint8Array;
}

export interface OpeningOptions {
  readonly me: Username;
  readonly messageKey: KeyObject;
  /** The public key for signing of a user, as the provider signed it. Throws `unknown-sender` and what the request throws. */
  readonly signKeyOf: (username: Username) => Promise<KeyObject>;
  readonly replays: ReplayMemory;
  readonly random: (length: number) => Uint8Array;
  /** ms. */
  readonly now: number;
}

/** The frame to publish. */
export function sealMessage(message: NesMessage, { messageKey, signKey, random }: SealingKeys): Uint8Array {
  const { from, to, timestamp, message: text } = message;
  const plaintext = new TextEncoder().encode(goJson({ from, to, timestamp, message: text }));
  const key = random(KEY_BYTES);
  return encodeFrame({
    cipherkey: wrap(messageKey, key),
    ciphertext: encrypt(key, plaintext),
    signature: sign(signKey, plaintext),
  });
}

/**
 * Throws `NesError`: `bad-frame`, `unreadable`, `unknown-sender`, `bad-signature`, `wrong-recipient`, `replayed`. Up to the signature
 * every fault of the decryption is `unreadable`, and nobody is asked anything because of it.
 */
export async function openMessage(bytes: Uint8Array, options: OpeningOptions): Promise<OpenedMessage> {
  const { me, messageKey, signKeyOf, replays, random, now } = options;
  const frame = decodeFrame(bytes);
  if (frame.cipherkey.length !== modulusBytes(messageKey)) throw unreadable();
  const key = unwrap(messageKey, frame.cipherkey, random(KEY_BYTES));
  const plaintext = decrypt(key, frame.ciphertext);
  const message = plaintext && messageIn(plaintext);
  if (!message) throw unreadable();
  const { from, to, timestamp } = message;
  if (!verify(await signKeyOf(from), plaintext, frame.signature))
    throw new NesError('bad-signature', `not signed by ${from}`);
  if (to !== me) throw new NesError('wrong-recipient', `${from} wrote this for somebody else`);
  const id = messageIdOf(frame.signature);
  if (!replays.isNew(from, id)) throw new NesError('replayed', `this message of ${from} has come before`);
  const isFarInTime = Math.abs(now - timestamp) > NEAR_MS;
  return { from, to: me, timestamp, message: message.message, isFarInTime, id };
}

/** Undefined for what no client makes. `to` is anybody's. */
function messageIn(plaintext: Uint8Array): (Omit<NesMessage, 'to'> & { readonly to: unknown }) | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { from, to, timestamp, message } = value as Record<string, unknown>;
  if (!isUsername(from) || !Number.isSafeInteger(timestamp) || typeof message !== 'string') return undefined;
  return { from, to, timestamp: timestamp as number, message };
}

function unreadable(): NesError {
  return new NesError('unreadable', 'cannot be read: not for this key, damaged, or not made by a client of NES');
}

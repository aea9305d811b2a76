/**
 * The seed form (lime-protocol section 8.2): one cipherMessage for all recipients, under a key from a random seed; each recipient's
 * ratchet message then carries the 32-byte seed instead of the plaintext.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { concat } from '../bytes/concat.ts';
import { deviceBytes, type RecipientUser, recipientUserBytes } from '../bytes/names.ts';
import { SEED_BYTES } from '../format/message.ts';
import { Secret } from '../keys/secret.ts';
import { MESSAGE_KEY_BYTES, MessageKey, openOnce, sealOnce } from '../ratchet/message-key.ts';

const SEED_INFO = new TextEncoder().encode('DR Message Key Derivation');
const NO_SALT = new Uint8Array(0);

export class CipherSeed extends Secret {
  override get kind() {
    return 'CipherSeed' as const;
  }
}

export interface SealedCipherMessage {
  readonly seed: CipherSeed;
  /** plaintext + 16 bytes. */
  readonly cipherMessage: Uint8Array;
}

export interface CipherMessageInput {
  readonly random: RandomBytes;
  readonly source: DeviceId;
  readonly recipientUser: RecipientUser;
  readonly plaintext: Uint8Array;
}

/** Encrypts `plaintext` once, under a fresh seed. To be given to `Lime.encrypt` of each suite among the recipients. */
export function sealCipherMessage(crypto: CryptoProvider, input: CipherMessageInput): SealedCipherMessage {
  const seed = new CipherSeed(input.random(SEED_BYTES));
  const bound = cipherAssociatedData(input.source, recipientUserBytes(input.recipientUser));
  return { seed, cipherMessage: sealOnce(crypto, keyFromSeed(crypto, seed), input.plaintext, bound) };
}

/** Wipes the seed. Throws CryptoError `authentication-failed`: changed bytes, another source, or another addressee. */
export function openCipherMessage(
  crypto: CryptoProvider,
  seed: CipherSeed,
  cipherMessage: Uint8Array,
  source: DeviceId,
  recipientUser: Uint8Array,
): Uint8Array {
  const key = keyFromSeed(crypto, seed);
  seed.wipe();
  return openOnce(crypto, key, cipherMessage, cipherAssociatedData(source, recipientUser));
}

/** HKDF(salt = empty, ikm = seed, info, 48). */
export function keyFromSeed(crypto: CryptoProvider, seed: CipherSeed): MessageKey {
  return new MessageKey(crypto.hkdfSha512(NO_SALT, seed.reveal(), SEED_INFO, MESSAGE_KEY_BYTES));
}

/** source device | recipient user: the other way round than in a ratchet message of the direct form. */
export function cipherAssociatedData(source: DeviceId, recipientUser: Uint8Array): Uint8Array {
  return concat(deviceBytes(source), recipientUser);
}

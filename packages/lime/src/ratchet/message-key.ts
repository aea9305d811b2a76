/** The message key MK: AES-256 key and GCM nonce of one message (lime-protocol section 7.2). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Secret } from '../keys/secret.ts';

/** key[32] | nonce[16]. Sixteen bytes of nonce, not twelve: J0 goes through GHASH. */
export const MESSAGE_KEY_BYTES = 48;
const AES_KEY_BYTES = 32;

export class MessageKey extends Secret {
  override get kind() {
    return 'MessageKey' as const;
  }
}

/** Encrypts once: key and nonce belong together, so the key is wiped and cannot be used again. */
export function sealOnce(
  crypto: CryptoProvider,
  key: MessageKey,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  const bytes = key.reveal();
  try {
    return crypto.aes256gcm.seal(
      bytes.subarray(0, AES_KEY_BYTES),
      bytes.subarray(AES_KEY_BYTES, MESSAGE_KEY_BYTES),
      plaintext,
      associatedData,
    );
  } finally {
    key.wipe();
  }
}

/** Decrypts and wipes the key. Throws CryptoError `authentication-failed`. */
export function openOnce(
  crypto: CryptoProvider,
  key: MessageKey,
  sealed: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  const bytes = key.reveal();
  try {
    return crypto.aes256gcm.open(
      bytes.subarray(0, AES_KEY_BYTES),
      bytes.subarray(AES_KEY_BYTES, MESSAGE_KEY_BYTES),
      sealed,
      associatedData,
    );
  } finally {
    key.wipe();
  }
}

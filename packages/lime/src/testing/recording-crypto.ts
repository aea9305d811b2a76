/** A provider that notes what the AEAD was called with: message keys are wiped after use, and tests want to compare them. */
import type { CryptoProvider } from '@sealwire/crypto/port';

export interface AeadCall {
  /** key[32] | nonce[16], as the vectors write it. */
  readonly key: Uint8Array;
  readonly associatedData: Uint8Array;
}

export function recordingCrypto(provider: CryptoProvider): CryptoProvider & { readonly calls: AeadCall[] } {
  const calls: AeadCall[] = [];
  const note = (key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array) =>
    calls.push({ key: Uint8Array.of(...key, ...nonce), associatedData: associatedData.slice() });
  const { aes256gcm } = provider;
  return {
    ...provider,
    calls,
    aes256gcm: {
      seal(key, nonce, plaintext, associatedData) {
        note(key, nonce, associatedData);
        return aes256gcm.seal(key, nonce, plaintext, associatedData);
      },
      open(key, nonce, sealed, associatedData) {
        note(key, nonce, associatedData);
        return aes256gcm.open(key, nonce, sealed, associatedData);
      },
    },
  };
}

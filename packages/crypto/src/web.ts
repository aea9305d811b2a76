/**
 * What FLOE needs, of WebCrypto: files in a browser at the speed of its native code. Keys are imported once, and kept
 * under their array's identity (keys are immutable by the port's contract).
 */
import { equalBytes } from '@noble/ciphers/utils.js';
import { notAuthentic } from './aead-sizes.ts';
import type { FloePrimitives } from './floe.ts';

/** `subtle`: of a page (`crypto.subtle`, in secure contexts only) or of Node. */
export function webFloePrimitives(subtle: typeof globalThis.crypto.subtle): FloePrimitives {
  const keys = new WeakMap<Uint8Array, ReturnType<typeof subtle.importKey>>();

  function gcmKey(bytes: Uint8Array): ReturnType<typeof subtle.importKey> {
    const known = keys.get(bytes);
    if (known) return known;
    const key = subtle.importKey('raw', own(bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
    keys.set(bytes, key);
    return key;
  }

  return {
    async hmacSha384(key, data) {
      const imported = await subtle.importKey('raw', own(key), { name: 'HMAC', hash: 'SHA-384' }, false, ['sign']);
      return new Uint8Array(await subtle.sign('HMAC', imported, own(data)));
    },
    aes256gcm: {
      async seal(key, nonce, plaintext, ad) {
        const parameters = { name: 'AES-GCM', iv: own(nonce), additionalData: own(ad) };
        return new Uint8Array(await subtle.encrypt(parameters, await gcmKey(key), own(plaintext)));
      },
      async open(key, nonce, sealed, ad) {
        const parameters = { name: 'AES-GCM', iv: own(nonce), additionalData: own(ad) };
        try {
          return new Uint8Array(await subtle.decrypt(parameters, await gcmKey(key), own(sealed)));
        } catch {
          throw notAuthentic();
        }
      },
    },
    equal: equalBytes,
  };
}

/** WebCrypto takes no view of shared memory, as the types know. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/**
 * Login challenges without a memory: the server recognises its own by a MAC, and remembers only those that were answered.
 *
 *   challenge = base64url( u48 expiry, ms | 16 random bytes | HMAC-SHA512(key, expiry | random | device id)[0..32] )
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';

const EXPIRY_BYTES = 6;
const RANDOM_BYTES = 16;
const MAC_BYTES = 32;
const HEAD_BYTES = EXPIRY_BYTES + RANDOM_BYTES;
const KEY_INFO = new TextEncoder().encode('sealwire/login-challenge-key/v1');

export interface Challenge {
  readonly expiresAt: number;
  /** Names this challenge in the memory of answered ones. */
  readonly nonce: Uint8Array;
}

export interface ChallengeBook {
  make(device: DeviceId): { challenge: string; expiresAt: number };
  /** Undefined when it is not ours, for another device, or ended. */
  open(challenge: string, device: DeviceId): Challenge | undefined;
}

export interface ChallengeBookDeps {
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  /** 32 bytes shared by all API processes. */
  readonly key: Uint8Array;
}

/** One secret for an operator to keep, two keys: the token key never computes this MAC. */
export function challengeKey(crypto: CryptoProvider, tokenKey: Uint8Array): Uint8Array {
  return crypto.hkdfSha512(new Uint8Array(0), tokenKey, KEY_INFO, 32);
}

export function createChallengeBook({ crypto, random, now, key }: ChallengeBookDeps): ChallengeBook {
  function mac(head: Uint8Array, device: DeviceId): Uint8Array {
    return crypto.hmacSha512(key, Buffer.concat([head, Buffer.from(device)])).subarray(0, MAC_BYTES);
  }
  return {
    make(device) {
      const expiresAt = now() + LIMITS.challengeLifeMs.value;
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUIntBE(expiresAt, 0, EXPIRY_BYTES);
      head.set(random(RANDOM_BYTES), EXPIRY_BYTES);
      return { challenge: encodeBase64url(Buffer.concat([head, mac(head, device)])), expiresAt };
    },
    open(challenge, device) {
      const bytes = decode(challenge);
      if (bytes?.length !== HEAD_BYTES + MAC_BYTES) return undefined;
      const head = bytes.subarray(0, HEAD_BYTES);
      if (!crypto.equal(mac(head, device), bytes.subarray(HEAD_BYTES))) return undefined;
      const expiresAt = Buffer.from(head).readUIntBE(0, EXPIRY_BYTES);
      const leftMs = expiresAt - now();
      // One that lasts longer than any that is made now is of a clock that was ahead.
      const isGood = leftMs >= 0 && leftMs <= LIMITS.challengeLifeMs.value + LIMITS.clockSkewMs.value;
      return isGood ? { expiresAt, nonce: head } : undefined;
    },
  };
}

function decode(text: string): Uint8Array | undefined {
  try {
    return decodeBase64url(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

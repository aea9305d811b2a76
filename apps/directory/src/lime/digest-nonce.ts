/**
 * Nonces of HTTP Digest. Made without a memory, so that any of several key directories may be asked with a nonce of any other:
 *
 *   nonce = base64url( u48 time, ms | 12 random bytes | HMAC-SHA512(key, time | random | realm)[0..16] )
 *
 * A nonce belongs to the process where it is used first, which says so in the store, once; there its counter must grow with every use, and
 * that is kept in memory. Elsewhere, and after a restart, it is `stale`, and the client asks again with a new one. So a header that was
 * overheard is worth nothing anywhere (case S70), at the cost of one write a nonce, and none a request
 * (docs/adr/0011-a-nonce-belongs-to-one-process.md).
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Once } from '@sealwire/store/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';

const TIME_BYTES = 6;
const RANDOM_BYTES = 12;
const MAC_BYTES = 16;
const HEAD_BYTES = TIME_BYTES + RANDOM_BYTES;
/** Long enough for a client that sends a few requests one after the other, short enough to be remembered. */
export const NONCE_LIFE_MS = 5 * 60_000;
/** Nonces in use, about 200 bytes each. Whose nonce is forgotten here asks again. */
const MAX_OWNED = 50_000;
const ONCE_PREFIX = Buffer.from('digest-nonce');

export interface NonceBookDeps {
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  /** 32 bytes shared by all key directories. */
  readonly key: Uint8Array;
  readonly realm: string;
  readonly once: Once;
}

export interface NonceBook {
  make(): string;
  /**
   * True when `nonce` is one of ours, not ended, and `count` is above every count it was used with before. False: `stale`. To be asked
   * only by who has proved a password: each new nonce is a write.
   */
  use(nonce: string, count: number): Promise<boolean>;
}

interface Owned {
  highest: number;
  readonly isOurs: Promise<boolean>;
}

export function createNonceBook({ crypto, random, now, key, realm, once }: NonceBookDeps): NonceBook {
  const scope = Buffer.from(realm);
  const owned = new Map<string, Owned>();

  function mac(head: Uint8Array): Uint8Array {
    return crypto.hmacSha512(key, Buffer.concat([head, scope])).subarray(0, MAC_BYTES);
  }

  /** The head of a nonce that one of us made of late. */
  function open(nonce: string): Buffer | undefined {
    const bytes = decode(nonce);
    if (bytes?.length !== HEAD_BYTES + MAC_BYTES) return undefined;
    const head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
    if (!crypto.equal(mac(head), bytes.subarray(HEAD_BYTES))) return undefined;
    const age = now() - head.readUIntBE(0, TIME_BYTES);
    return age >= -LIMITS.clockSkewMs.value && age <= NONCE_LIFE_MS ? head : undefined;
  }

  function claim(head: Buffer): Promise<boolean> {
    // As long as any process, whatever its clock, may take the nonce for a fresh one.
    const until = head.readUIntBE(0, TIME_BYTES) + NONCE_LIFE_MS + 2 * LIMITS.clockSkewMs.value;
    return once.take(Buffer.concat([ONCE_PREFIX, head]), until, now());
  }

  return {
    make() {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUIntBE(now(), 0, TIME_BYTES);
      head.set(random(RANDOM_BYTES), TIME_BYTES);
      return encodeBase64url(Buffer.concat([head, mac(head)]));
    },

    async use(nonce, count) {
      const head = open(nonce);
      if (!head) return false;
      const known = owned.get(nonce);
      if (known) {
        if (count <= known.highest) return false;
        known.highest = count;
        return known.isOurs;
      }
      if (owned.size >= MAX_OWNED) owned.delete(owned.keys().next().value!);
      const isOurs = claim(head);
      owned.set(nonce, { highest: count, isOurs });
      // Unknown is not ours: the next use asks the store again, which may then say that it was taken.
      isOurs.catch(() => owned.delete(nonce));
      return isOurs;
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

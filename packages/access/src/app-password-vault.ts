/**
 * What is kept of an app password: its Digest hashes HA1 = H(user ":" realm ":" password), sealed under a key of the configuration. An
 * HA1 is as good as the password for Digest in this realm, and for nothing else; a copy of the database without the key gives nothing.
 *
 *   verifier  = u8 1 | nonce[12] | AES-256-GCM(sealing key, nonce, hashes, "sealwire/app-password/v1" 0 address 0 id)
 *   hashes    = for each form of the user (`USER_FORMS`) SHA-256[32], then, if MD5 was switched on, for each form MD5[16]
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { type AccountAddress, nameOf, parseAccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { type DigestAlgorithm, digestHash } from './digest-hash.ts';

const VERSION = 1;
const NONCE_BYTES = 12;
const HASH_BYTES: Readonly<Record<DigestAlgorithm, number>> = { 'SHA-256': 32, MD5: 16 };

/** How clients write the user: `alice`, `alice@example.org`, `sip:alice@example.org`. Each goes into a hash of its own. */
const USER_FORMS: readonly ((address: AccountAddress) => string)[] = [
  nameOf,
  (address) => address.slice('sip:'.length),
  (address) => address,
];

/** Whose the password is: a verifier that is moved elsewhere opens no more. */
export interface Owner {
  readonly address: AccountAddress;
  readonly id: string;
}

/** A user as a client wrote it. */
export interface DigestUser {
  readonly address: AccountAddress;
  /** Which of the forms. */
  readonly form: number;
}

export interface AppPasswordVault {
  readonly realm: string;
  /** In the order in which they are offered. */
  readonly algorithms: readonly DigestAlgorithm[];
  /** The verifier to store. */
  seal(owner: Owner, password: string): Uint8Array;
  /**
   * HA1 in hexadecimal for this form of the user. Undefined: not sealed by this key for this owner, or no such hash was kept (MD5 of a
   * password that was made while MD5 was off).
   */
  open(owner: Owner, verifier: Uint8Array, algorithm: DigestAlgorithm, form: number): string | undefined;
  /** Undefined: no user of this domain. */
  parseUser(text: string): DigestUser | undefined;
}

export interface VaultDeps {
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  /** 32 bytes shared by the API and the key directories: `APP_PASSWORD_KEY`. */
  readonly key: Uint8Array;
  readonly domain: string;
  readonly realm: string;
  readonly md5: boolean;
}

/** One secret for an operator to keep, several keys: `purpose` tells them apart. */
export function appPasswordKey(crypto: CryptoProvider, key: Uint8Array, purpose: 'seal' | 'nonce'): Uint8Array {
  return crypto.hkdfSha512(new Uint8Array(0), key, Buffer.from(`sealwire/app-password-${purpose}-key/v1`), 32);
}

export function createAppPasswordVault({ crypto, random, key, domain, realm, md5 }: VaultDeps): AppPasswordVault {
  const sealingKey = appPasswordKey(crypto, key, 'seal');
  const algorithms: readonly DigestAlgorithm[] = md5 ? ['SHA-256', 'MD5'] : ['SHA-256'];
  const context = ({ address, id }: Owner) => Buffer.from(`sealwire/app-password/v1\0${address}\0${id}`);

  function hashes(sealed: Uint8Array, owner: Owner): Uint8Array | undefined {
    if (sealed[0] !== VERSION) return undefined;
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    try {
      return crypto.aes256gcm.open(sealingKey, nonce, sealed.subarray(1 + NONCE_BYTES), context(owner));
    } catch {
      return undefined;
    }
  }

  return {
    realm,
    algorithms,

    seal(owner, password) {
      const all = algorithms.flatMap((algorithm) =>
        USER_FORMS.map((userOf) => {
          const text = `${userOf(owner.address)}:${realm}:${password}`;
          return Buffer.from(digestHash(crypto, algorithm, text), 'hex');
        }),
      );
      const nonce = random(NONCE_BYTES);
      const sealed = crypto.aes256gcm.seal(sealingKey, nonce, Buffer.concat(all), context(owner));
      return Buffer.concat([Buffer.of(VERSION), nonce, sealed]);
    },

    open(owner, verifier, algorithm, form) {
      const all = hashes(verifier, owner);
      const size = HASH_BYTES[algorithm];
      const start = (algorithm === 'MD5' ? USER_FORMS.length * HASH_BYTES['SHA-256'] : 0) + form * size;
      return all && all.length >= start + size
        ? Buffer.from(all.subarray(start, start + size)).toString('hex')
        : undefined;
    },

    parseUser(text) {
      const address = addressIn(text, domain);
      const form = address === undefined ? -1 : USER_FORMS.findIndex((userOf) => userOf(address) === text);
      return address === undefined || form < 0 ? undefined : { address, form };
    },
  };
}

function addressIn(text: string, domain: string): AccountAddress | undefined {
  const [user] = text.replace(/^sip:/, '').split('@');
  try {
    return parseAccountAddress(`sip:${user}@${domain}`);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

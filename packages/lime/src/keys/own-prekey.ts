/** The private keys of one prekey: DH, and in hybrid suites a KEM key beside it. */
import type { LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import { concat } from '../bytes/concat.ts';
import { newDhKey, type OwnDhKey } from './dh-keys.ts';
import { newKemKey, type OwnKemKey } from './kem-keys.ts';

export interface OwnPrekey {
  readonly key: OwnDhKey;
  /** Undefined in classical suites. */
  readonly kem: OwnKemKey | undefined;
}

export function newOwnPrekey(suite: LimeSuite, random: RandomBytes): OwnPrekey {
  return { key: newDhKey(suite, random), kem: suite.kem && newKemKey(suite.kem, random) };
}

/** What is published and signed: DH public key [| KEM public key]. */
export function publicKeyOf({ key, kem }: OwnPrekey): Uint8Array {
  return kem ? concat(key.publicKey, kem.publicKey) : key.publicKey;
}

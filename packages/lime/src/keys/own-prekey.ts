/** The private keys of one prekey: DH, and in hybrid suites a KEM key beside it. */
import type { LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { concat } from '../messages/associated-data.ts';
import { newDhKey, OwnDhKey } from './dh-keys.ts';
import { newKemKey, OwnKemKey } from './kem-keys.ts';

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

/** Of the fields that `writeOwnPrekey` writes. */
export function ownPrekeyBytes({ dh, kem }: LimeSuite): number {
  return 2 * dh.keyLength + (kem ? kem.seedLength + kem.publicKeyLength : 0);
}

/** DH private[x] | DH public[x] [| KEM seed[64] | KEM public key]. */
export function writeOwnPrekey(writer: ByteWriter, { key, kem }: OwnPrekey): ByteWriter {
  writer.bytes(key.reveal()).bytes(key.publicKey);
  return kem ? writer.bytes(kem.reveal()).bytes(kem.publicKey) : writer;
}

export function readOwnPrekey(reader: ByteReader, { dh, kem }: LimeSuite): OwnPrekey {
  return {
    key: new OwnDhKey(reader.bytes(dh.keyLength), reader.bytes(dh.keyLength)),
    kem: kem && new OwnKemKey(reader.bytes(kem.seedLength), reader.bytes(kem.publicKeyLength)),
  };
}

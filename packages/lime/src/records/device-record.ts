/**
 * A local device and its prekeys as records. Layout only; a known-answer test freezes it.
 *
 *   device:          u8 version | u8 curve id | u8 active | u48 updated | Ik seed[ed] | Ik public[ed] | u8 n
 *                    | n × ( u32 SPk id | keys | signature[sig] | u48 created | u48 replaced (0: current) | u8 offers left )
 *   one-time prekey: u8 version | u8 curve id | u32 id | keys | u48 missed at the directory since (0: not missed)
 *   keys:            private[x] | public[x], in hybrid suites | KEM seed[64] | KEM public key
 *   version:         1 in classical suites, 2 in hybrid ones
 */
import type { CryptoProvider, LimeSuite, SuiteName } from '@sealwire/crypto/port';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { OwnDhKey } from '../keys/dh-keys.ts';
import { OwnIdentity } from '../keys/identity-keys.ts';
import { OwnKemKey } from '../keys/kem-keys.ts';
import type { OwnPrekey } from '../keys/own-prekey.ts';
import { readSuite, versionOf } from './record-suite.ts';

export interface OwnSignedPrekey extends OwnPrekey {
  readonly id: number;
  readonly signature: Uint8Array;
  readonly createdAt: number;
  /** Undefined: the current one. */
  readonly replacedAt: number | undefined;
  /** How many updates are still to post it. */
  readonly offersLeft: number;
}

export interface OwnDevice {
  readonly suite: SuiteName;
  readonly active: boolean;
  readonly updatedAt: number;
  readonly identity: OwnIdentity;
  /** The current one first, then the replaced ones that are still kept. */
  readonly signedPrekeys: readonly [OwnSignedPrekey, ...OwnSignedPrekey[]];
}

export interface OwnOneTimePrekey extends OwnPrekey {
  readonly id: number;
  readonly missedSince: number | undefined;
}

export function encodeDevice(crypto: CryptoProvider, device: OwnDevice): Uint8Array {
  const suite = crypto.suites[device.suite];
  const { seedLength, publicKeyLength, signatureLength } = suite.signatures;
  const prekeyBytes = 4 + ownPrekeyBytes(suite) + signatureLength + 6 + 6 + 1;
  const writer = new ByteWriter(3 + 6 + seedLength + publicKeyLength + 1 + device.signedPrekeys.length * prekeyBytes)
    .u8(versionOf(suite))
    .u8(suite.id)
    .u8(device.active ? 1 : 0)
    .time(device.updatedAt)
    .bytes(device.identity.reveal())
    .bytes(device.identity.publicKey)
    .u8(device.signedPrekeys.length);
  for (const prekey of device.signedPrekeys) {
    writeOwnPrekey(writer.u32(prekey.id), prekey)
      .bytes(prekey.signature)
      .time(prekey.createdAt)
      .time(prekey.replacedAt ?? 0)
      .u8(prekey.offersLeft);
  }
  return writer.finish();
}

/** Throws LimeError `corrupt-record`. */
export function decodeDevice(crypto: CryptoProvider, record: Uint8Array): OwnDevice {
  const reader = new ByteReader(record, 'corrupt-record', 'device record');
  const suite = readSuite(crypto, reader);
  const active = reader.u8();
  if (active > 1) reader.fail('broken active flag');
  const updatedAt = reader.time();
  const identity = new OwnIdentity(
    reader.bytes(suite.signatures.seedLength),
    reader.bytes(suite.signatures.publicKeyLength),
  );
  const [first, ...replaced] = Array.from(
    { length: reader.u8() },
    (): OwnSignedPrekey => ({
      id: reader.u32(),
      ...readOwnPrekey(reader, suite),
      signature: reader.bytes(suite.signatures.signatureLength),
      createdAt: reader.time(),
      replacedAt: reader.time() || undefined,
      offersLeft: reader.u8(),
    }),
  );
  const current = first ?? reader.fail('no signed prekey');
  reader.end();
  return { suite: suite.name, active: active === 1, updatedAt, identity, signedPrekeys: [current, ...replaced] };
}

export function encodeOneTimePrekey(
  crypto: CryptoProvider,
  suiteName: SuiteName,
  prekey: OwnOneTimePrekey,
): Uint8Array {
  const suite = crypto.suites[suiteName];
  const writer = new ByteWriter(2 + 4 + ownPrekeyBytes(suite) + 6).u8(versionOf(suite)).u8(suite.id).u32(prekey.id);
  return writeOwnPrekey(writer, prekey)
    .time(prekey.missedSince ?? 0)
    .finish();
}

/** Throws LimeError `corrupt-record`. */
export function decodeOneTimePrekey(crypto: CryptoProvider, record: Uint8Array): OwnOneTimePrekey {
  const reader = new ByteReader(record, 'corrupt-record', 'one-time prekey record');
  const suite = readSuite(crypto, reader);
  const id = reader.u32();
  const keys = readOwnPrekey(reader, suite);
  const missedSince = reader.time() || undefined;
  reader.end();
  return { id, ...keys, missedSince };
}

/** Of the fields that `writeOwnPrekey` writes. */
function ownPrekeyBytes({ dh, kem }: LimeSuite): number {
  return 2 * dh.keyLength + (kem ? kem.seedLength + kem.publicKeyLength : 0);
}

/** DH private[x] | DH public[x] [| KEM seed[64] | KEM public key]. */
function writeOwnPrekey(writer: ByteWriter, { key, kem }: OwnPrekey): ByteWriter {
  writer.bytes(key.reveal()).bytes(key.publicKey);
  return kem ? writer.bytes(kem.reveal()).bytes(kem.publicKey) : writer;
}

function readOwnPrekey(reader: ByteReader, { dh, kem }: LimeSuite): OwnPrekey {
  return {
    key: new OwnDhKey(reader.bytes(dh.keyLength), reader.bytes(dh.keyLength)),
    kem: kem && new OwnKemKey(reader.bytes(kem.seedLength), reader.bytes(kem.publicKeyLength)),
  };
}

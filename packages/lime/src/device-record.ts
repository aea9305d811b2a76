/**
 * A local device and its prekeys as records. Layout only; a known-answer test freezes it.
 *
 *   device:          u8 version = 1 | u8 curve id | u8 active | u48 updated | Ik seed[ed] | Ik public[ed] | u8 n
 *                    | n × ( u32 SPk id | private[x] | public[x] | signature[sig] | u48 created | u48 replaced (0: current) | u8 offers left )
 *   one-time prekey: u8 version = 1 | u8 curve id | u32 id | private[x] | public[x] | u48 missed at the directory since (0: not missed)
 */
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OwnDhKey } from './dh-keys.ts';
import { OwnIdentity } from './identity-keys.ts';
import { curveById } from './session-record.ts';

const VERSION = 1;

export interface OwnSignedPrekey {
  readonly id: number;
  readonly key: OwnDhKey;
  readonly signature: Uint8Array;
  readonly createdAt: number;
  /** Undefined: the current one. */
  readonly replacedAt: number | undefined;
  /** How many updates are still to post it. */
  readonly offersLeft: number;
}

export interface OwnDevice {
  readonly curve: SuiteName;
  readonly active: boolean;
  readonly updatedAt: number;
  readonly identity: OwnIdentity;
  /** The current one first, then the replaced ones that are still kept. */
  readonly signedPrekeys: readonly [OwnSignedPrekey, ...OwnSignedPrekey[]];
}

export interface OwnOneTimePrekey {
  readonly id: number;
  readonly key: OwnDhKey;
  readonly missedSince: number | undefined;
}

export function encodeDevice(crypto: CryptoProvider, device: OwnDevice): Uint8Array {
  const curve = crypto.suites[device.curve];
  const { seedLength, publicKeyLength, signatureLength } = curve.signatures;
  const prekeyBytes = 4 + 2 * curve.dh.keyLength + signatureLength + 6 + 6 + 1;
  const writer = new ByteWriter(3 + 6 + seedLength + publicKeyLength + 1 + device.signedPrekeys.length * prekeyBytes)
    .u8(VERSION)
    .u8(curve.id)
    .u8(device.active ? 1 : 0)
    .time(device.updatedAt)
    .bytes(device.identity.reveal())
    .bytes(device.identity.publicKey)
    .u8(device.signedPrekeys.length);
  for (const prekey of device.signedPrekeys) {
    writer
      .u32(prekey.id)
      .bytes(prekey.key.reveal())
      .bytes(prekey.key.publicKey)
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
  if (reader.u8() !== VERSION) reader.fail('unknown version');
  const curve = curveById(crypto, reader);
  const active = reader.u8();
  if (active > 1) reader.fail('broken active flag');
  const updatedAt = reader.time();
  const identity = new OwnIdentity(
    reader.bytes(curve.signatures.seedLength),
    reader.bytes(curve.signatures.publicKeyLength),
  );
  const [first, ...replaced] = Array.from(
    { length: reader.u8() },
    (): OwnSignedPrekey => ({
      id: reader.u32(),
      key: new OwnDhKey(reader.bytes(curve.dh.keyLength), reader.bytes(curve.dh.keyLength)),
      signature: reader.bytes(curve.signatures.signatureLength),
      createdAt: reader.time(),
      replacedAt: reader.time() || undefined,
      offersLeft: reader.u8(),
    }),
  );
  const current = first ?? reader.fail('no signed prekey');
  reader.end();
  return { curve: curve.name, active: active === 1, updatedAt, identity, signedPrekeys: [current, ...replaced] };
}

export function encodeOneTimePrekey(
  crypto: CryptoProvider,
  curveName: SuiteName,
  prekey: OwnOneTimePrekey,
): Uint8Array {
  const curve = crypto.suites[curveName];
  return new ByteWriter(2 + 4 + 2 * curve.dh.keyLength + 6)
    .u8(VERSION)
    .u8(curve.id)
    .u32(prekey.id)
    .bytes(prekey.key.reveal())
    .bytes(prekey.key.publicKey)
    .time(prekey.missedSince ?? 0)
    .finish();
}

/** Throws LimeError `corrupt-record`. */
export function decodeOneTimePrekey(crypto: CryptoProvider, record: Uint8Array): OwnOneTimePrekey {
  const reader = new ByteReader(record, 'corrupt-record', 'one-time prekey record');
  if (reader.u8() !== VERSION) reader.fail('unknown version');
  const { keyLength } = curveById(crypto, reader).dh;
  const id = reader.u32();
  const key = new OwnDhKey(reader.bytes(keyLength), reader.bytes(keyLength));
  const missedSince = reader.time() || undefined;
  reader.end();
  return { id, key, missedSince };
}

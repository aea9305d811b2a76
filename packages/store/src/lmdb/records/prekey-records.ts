/**
 * What a device registered on one suite, as a record; and all public keys that a device uses,
 * wherever they are written.
 */

import type { DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { SignedPrekey } from '../../port.ts';
import type { Databases } from '../environment.ts';
import { prefixedKey, SUITES, suiteByte } from './keys.ts';
import { RecordReader, RecordWriter } from './record.ts';

export interface PrekeyRecord {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: SignedPrekey;
  /** One-time keys held. */
  readonly held: number;
  /** The order of the next one-time key. */
  readonly next: number;
}

export function readPrekeys({ prekeys }: Databases, device: DeviceId, suite: ServedSuite): PrekeyRecord | undefined {
  const bytes = prekeys.getBinary(recordKey(device, suite));
  if (!bytes) return undefined;
  const reader = new RecordReader(bytes);
  const identityKey = reader.bytes();
  const signedPrekey = { id: reader.number(), publicKey: reader.bytes(), signature: reader.bytes() };
  const record = { identityKey, signedPrekey, held: reader.number(), next: reader.number() };
  reader.end();
  return record;
}

export function writePrekeys({ prekeys }: Databases, device: DeviceId, suite: ServedSuite, record: PrekeyRecord): void {
  const { identityKey, signedPrekey, held, next } = record;
  const { id, publicKey, signature } = signedPrekey;
  const writer = new RecordWriter().bytes(identityKey).number(id).bytes(publicKey).bytes(signature);
  prekeys.putSync(recordKey(device, suite), writer.number(held).number(next).finish());
}

export function removePrekeys({ prekeys }: Databases, device: DeviceId, suite: ServedSuite): void {
  prekeys.removeSync(recordKey(device, suite));
}

/** Identity keys and signed prekeys that the device has registered, on all suites. */
export function registeredKeys(databases: Databases, device: DeviceId): Uint8Array[] {
  return SUITES.flatMap((suite) => {
    const record = readPrekeys(databases, device, suite);
    return record ? [record.identityKey, record.signedPrekey.publicKey] : [];
  });
}

function recordKey(device: DeviceId, suite: ServedSuite): Buffer {
  return prefixedKey(device, suiteByte(suite));
}

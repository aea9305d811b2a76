/**
 * Keys of the databases. Texts cannot hold a zero byte (wire/ids refuses control characters), so a
 * zero ends them without ambiguity.
 */

import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { Db } from '../environment.ts';

/** LIME's curve ids. */
const SUITE_BYTES: Readonly<Record<ServedSuite, Buffer>> = {
  c25519: Buffer.of(1),
  c448: Buffer.of(2),
  c25519k512: Buffer.of(3),
  c25519mlk512: Buffer.of(4),
  c448mlk1024: Buffer.of(5),
};
/** In records a suite is its place in this list: new ones come at the end. */
export const SUITES: readonly ServedSuite[] = ['c25519', 'c448', 'c25519mlk512', 'c448mlk1024', 'c25519k512'];

export function textKey(text: AccountAddress | DeviceId): Buffer {
  return Buffer.from(text, 'utf8');
}

/** `text`, 0, `suffix`. */
export function prefixedKey(text: AccountAddress | DeviceId, ...suffix: readonly Uint8Array[]): Buffer {
  let length = Buffer.byteLength(text, 'utf8') + 1;
  for (const part of suffix) length += part.length;
  const key = Buffer.allocUnsafe(length);
  let at = key.write(text, 'utf8');
  key[at++] = 0;
  for (const part of suffix) {
    key.set(part, at);
    at += part.length;
  }
  return key;
}

export function suiteByte(suite: ServedSuite): Buffer {
  return SUITE_BYTES[suite];
}

export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u48(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

/** The first key that does not begin with `prefix`: where its range ends. */
export function endOf(prefix: Buffer): Buffer {
  let last = prefix.length - 1;
  while (last >= 0 && prefix[last] === 0xff) last--;
  const end = Buffer.from(prefix.subarray(0, last + 1));
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/**
 * Up to `limit` keys that begin with `prefix`, ascending. Collected first: a cursor must not see
 * the changes that follow.
 */
export function keysUnder(db: Db, prefix: Buffer, limit = Number.MAX_SAFE_INTEGER): Buffer[] {
  return [...db.getKeys({ start: prefix, end: endOf(prefix), limit })];
}

export function removeUnder(db: Db, prefix: Buffer): void {
  for (const key of keysUnder(db, prefix)) db.removeSync(key);
}

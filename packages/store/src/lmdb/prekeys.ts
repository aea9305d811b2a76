/**
 * LIME key material, in LMDB. A claim takes the one-time key with the lowest order and, in the same transaction, marks its id as burned:
 * the mark stays, so that a late repeat of the upload does not bring the key back.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { copyBundle, copyOneTimePrekey, copySignedPrekey } from '../copies.ts';
import { type OneTimePrekey, type PrekeyBundle, type Prekeys, StoreError } from '../port.ts';
import { isSameBundle, isSameBytes } from '../sameness.ts';
import type { Databases, Environment } from './environment.ts';
import { readDevice, usedKeys } from './records/account-records.ts';
import { checkKeys, moveKeys } from './records/key-owners.ts';
import { curveByte, endOf, keysUnder, prefixedKey, removeUnder, u32, u48 } from './records/keys.ts';
import { type PrekeyRecord, readPrekeys, removePrekeys, writePrekeys } from './records/prekey-records.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import { forgetWaiting } from './records/waiting-records.ts';
import type { Writer } from './writer.ts';

const BY_ORDER = Buffer.from('k');
const BY_ID = Buffer.from('i');

export function lmdbPrekeys({ databases, renew }: Environment, writer: Writer): Prekeys {
  function registered(device: DeviceId, suite: SuiteName): PrekeyRecord {
    const record = readPrekeys(databases, device, suite);
    if (!record) throw new StoreError('not-found', 'the device has not registered keys on this curve');
    return record;
  }

  return {
    async register(device, suite, bundle, oneTime) {
      const copy = copyBundle(bundle);
      const keys = oneTime.map(copyOneTimePrekey);
      return writer.run(() => {
        const owner = readDevice(databases, device);
        if (!owner || owner === 'gone') throw new StoreError('not-found', 'no such device');
        return storeRegistration(databases, device, suite, copy, keys);
      });
    },

    async replaceSignedPrekey(device, suite, signedPrekey) {
      const copy = copySignedPrekey(signedPrekey);
      await writer.run(() => {
        const record = registered(device, suite);
        checkKeys(databases, [{ owner: device, keys: [copy.publicKey] }]);
        const before = usedKeys(databases, device);
        writePrekeys(databases, device, suite, { ...record, signedPrekey: copy });
        moveKeys(databases, device, before, usedKeys(databases, device));
      });
    },

    async addOneTime(device, suite, keys, maximum) {
      const copies = keys.map(copyOneTimePrekey);
      await writer.run(() => {
        const record = registered(device, suite);
        const fresh = newKeys(databases, device, suite, copies);
        if (record.held + fresh.length > maximum)
          throw new StoreError('limit', `at most ${maximum} one-time keys are held, ${record.held} are there`);
        if (fresh.length > 0) addKeys(databases, device, suite, record, fresh);
      });
    },

    async listOneTime(device, suite) {
      renew();
      registered(device, suite);
      const prefix = orderPrefix(device, suite);
      const range = databases.onetime.getRange({ start: prefix, end: endOf(prefix) });
      return [...range].map(({ value }) => readOneTime(value).id);
    },

    async claim(suite, entries) {
      renew();
      // One snapshot of the newest committed state. Where it has no one-time key to take, there is nothing to write.
      const records = entries.map(({ device }) => readPrekeys(databases, device, suite));
      if (!entries.some(({ takeOneTime }, i) => takeOneTime && (records[i]?.held ?? 0) > 0))
        return records.map((record) => record && withoutOneTime(record));
      const copies = entries.map(({ device, takeOneTime }) => ({ device, takeOneTime }));
      return writer.run(() => copies.map((entry) => claimOne(databases, suite, entry)));
    },

    async delete(device, suite) {
      await writer.run(() => {
        const before = usedKeys(databases, device);
        removePrekeys(databases, device, suite);
        moveKeys(databases, device, before, usedKeys(databases, device));
        if (forgetWaiting(databases, device)) return;
        const prefix = orderPrefix(device, suite);
        // What is burned stays so; what was held may be uploaded again.
        for (const { value } of [...databases.onetime.getRange({ start: prefix, end: endOf(prefix) })])
          databases.onetime.removeSync(idKey(device, suite, readOneTime(value).id));
        removeUnder(databases.onetime, prefix);
      });
    },
  };
}

/** Throws before its first write: `conflict` when the device registered other keys, `KeyTakenError`. */
export function storeRegistration(
  databases: Databases,
  device: DeviceId,
  suite: SuiteName,
  bundle: PrekeyBundle,
  oneTime: readonly OneTimePrekey[],
): 'registered' | 'same' {
  const known = readPrekeys(databases, device, suite);
  if (known) {
    if (isSameBundle(known, bundle)) return 'same';
    throw new StoreError('conflict', 'the device has registered other keys on this curve');
  }
  checkKeys(databases, [{ owner: device, keys: [bundle.identityKey, bundle.signedPrekey.publicKey] }]);
  const fresh = newKeys(databases, device, suite, oneTime);
  addKeys(databases, device, suite, { ...bundle, held: 0, next: 1 }, fresh);
  moveKeys(databases, device, [], [bundle.identityKey, bundle.signedPrekey.publicKey]);
  return 'registered';
}

function claimOne(
  databases: Databases,
  suite: SuiteName,
  { device, takeOneTime }: { device: DeviceId; takeOneTime: boolean },
): PrekeyBundle | undefined {
  const record = readPrekeys(databases, device, suite);
  if (!record) return undefined;
  const [oldest] = takeOneTime && record.held > 0 ? keysUnder(databases.onetime, orderPrefix(device, suite), 1) : [];
  if (!oldest) return withoutOneTime(record);
  const bytes = databases.onetime.getBinary(oldest);
  if (!bytes) throw new StoreError('corrupt', 'a one-time key is missing');
  const oneTimePrekey = readOneTime(bytes);
  databases.onetime.removeSync(oldest);
  writePrekeys(databases, device, suite, { ...record, held: record.held - 1 });
  return { ...withoutOneTime(record), oneTimePrekey };
}

function withoutOneTime({ identityKey, signedPrekey }: PrekeyRecord): PrekeyBundle {
  return { identityKey, signedPrekey };
}

/** Those of `keys` that are neither held nor burned. `conflict` when an id is known with other bytes. */
function newKeys(
  { onetime }: Databases,
  device: DeviceId,
  suite: SuiteName,
  keys: readonly OneTimePrekey[],
): OneTimePrekey[] {
  const fresh = new Map<number, OneTimePrekey>();
  for (const key of keys) {
    // The entry by id outlives the key: it is the mark of a burned one.
    const known = onetime.getBinary(idKey(device, suite, key.id)) ?? fresh.get(key.id)?.publicKey;
    if (!known) fresh.set(key.id, key);
    else if (!isSameBytes(known, key.publicKey))
      throw new StoreError('conflict', `one-time key ${key.id} is known with other bytes`);
  }
  return [...fresh.values()];
}

function addKeys(
  databases: Databases,
  device: DeviceId,
  suite: SuiteName,
  record: PrekeyRecord,
  keys: readonly OneTimePrekey[],
): void {
  let { next } = record;
  for (const { id, publicKey } of keys) {
    const value = new RecordWriter().number(id).bytes(publicKey).finish();
    databases.onetime.putSync(Buffer.concat([orderPrefix(device, suite), u48(next++)]), value);
    databases.onetime.putSync(idKey(device, suite, id), Buffer.from(publicKey));
  }
  writePrekeys(databases, device, suite, { ...record, held: record.held + keys.length, next });
}

function readOneTime(bytes: Buffer): OneTimePrekey {
  const reader = new RecordReader(bytes);
  const key = { id: reader.number(), publicKey: reader.bytes() };
  reader.end();
  return key;
}

function orderPrefix(device: DeviceId, suite: SuiteName): Buffer {
  return prefixedKey(device, curveByte(suite), BY_ORDER);
}

function idKey(device: DeviceId, suite: SuiteName, id: number): Buffer {
  return prefixedKey(device, curveByte(suite), BY_ID, u32(id));
}

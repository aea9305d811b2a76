/**
 * LIME key material, in LMDB. A claim takes the one-time key with the lowest order and, in the same
 * transaction, notes its id as claimed, so that a late repeat of the upload does not bring the key
 * back; and forgets a few such ids whose time is over.
 */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { copyBundle, copyOneTimePrekey, copySignedPrekey } from '../copies.ts';
import { type OneTimePrekey, type PrekeyBundle, type Prekeys, StoreError } from '../port.ts';
import { isSameBundle, isSameBytes } from '../sameness.ts';
import type { Databases, Environment } from './environment.ts';
import { finishAccount, readDevice, usedKeys } from './records/account-records.ts';
import { checkKeys, moveKeys } from './records/key-owners.ts';
import { endOf, keysUnder, prefixedKey, removeUnder, suiteByte, u32, u48 } from './records/keys.ts';
import { type PrekeyRecord, readPrekeys, removePrekeys, writePrekeys } from './records/prekey-records.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import { forgetWaiting } from './records/waiting-records.ts';
import type { Writer } from './writer.ts';

const BY_ORDER = Buffer.from('k');
const BY_ID = Buffer.from('i');
const CLAIMED = Buffer.from('c');
const BY_END = Buffer.from('u');
/** More than one: the claimed are fewer after each claim. */
const FORGET_AT_ONCE = 4;

export function lmdbPrekeys({ databases, renew }: Environment, writer: Writer): Prekeys {
  function registered(device: DeviceId, suite: ServedSuite): PrekeyRecord {
    const record = readPrekeys(databases, device, suite);
    if (!record) throw new StoreError('not-found', 'the device has not registered keys on this suite');
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

    async addOneTime(device, suite, keys, { maximum, now }) {
      const copies = keys.map(copyOneTimePrekey);
      await writer.run(() => {
        const record = registered(device, suite);
        // A write before what may refuse, which is as good without the rest.
        forgetClaimed(databases, device, suite, now);
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

    async find(suite, devices) {
      renew();
      return devices.map((device) => {
        const record = readPrekeys(databases, device, suite);
        return record && withoutOneTime(record);
      });
    },

    async claim(suite, devices, now) {
      renew();
      const records = devices.map((device) => readPrekeys(databases, device, suite));
      // Where there is no one-time key to take there is nothing to write.
      if (!records.some((record) => record && record.held > 0))
        return records.map((record) => record && withoutOneTime(record));
      const copies = [...devices];
      return writer.run(() => copies.map((device) => claimOne(databases, suite, device, now)));
    },

    async delete(device, suite) {
      await writer.run(() => {
        const before = usedKeys(databases, device);
        removePrekeys(databases, device, suite);
        moveKeys(databases, device, before, usedKeys(databases, device));
        if (forgetWaiting(databases, device)) return;
        const prefix = orderPrefix(device, suite);
        // What is claimed stays so; what was held may be uploaded again.
        for (const { value } of [...databases.onetime.getRange({ start: prefix, end: endOf(prefix) })])
          databases.onetime.removeSync(idKey(device, suite, readOneTime(value).id));
        removeUnder(databases.onetime, prefix);
      });
    },
  };
}

/**
 * Throws before its first write: `conflict` when the device registered other keys, `KeyTakenError`.
 */
export function storeRegistration(
  databases: Databases,
  device: DeviceId,
  suite: ServedSuite,
  bundle: PrekeyBundle,
  oneTime: readonly OneTimePrekey[],
): 'registered' | 'same' {
  const known = readPrekeys(databases, device, suite);
  if (known) {
    if (isSameBundle(known, bundle)) return 'same';
    throw new StoreError('conflict', 'the device has registered other keys on this suite');
  }
  checkKeys(databases, [{ owner: device, keys: [bundle.identityKey, bundle.signedPrekey.publicKey] }]);
  const fresh = newKeys(databases, device, suite, oneTime);
  addKeys(databases, device, suite, { ...bundle, held: 0, next: 1 }, fresh);
  moveKeys(databases, device, [], [bundle.identityKey, bundle.signedPrekey.publicKey]);
  finishAccount(databases, accountOf(device));
  return 'registered';
}

function claimOne(databases: Databases, suite: ServedSuite, device: DeviceId, now: number): PrekeyBundle | undefined {
  const record = readPrekeys(databases, device, suite);
  if (!record) return undefined;
  const [oldest] = record.held > 0 ? keysUnder(databases.onetime, orderPrefix(device, suite), 1) : [];
  if (!oldest) return withoutOneTime(record);
  const bytes = databases.onetime.getBinary(oldest);
  if (!bytes) throw new StoreError('corrupt', 'a one-time key is missing');
  const oneTimePrekey = readOneTime(bytes);
  databases.onetime.removeSync(oldest);
  databases.onetime.removeSync(idKey(device, suite, oneTimePrekey.id));
  noteClaimed(databases, device, suite, oneTimePrekey, now);
  forgetClaimed(databases, device, suite, now);
  writePrekeys(databases, device, suite, { ...record, held: record.held - 1 });
  return { ...withoutOneTime(record), oneTimePrekey };
}

function noteClaimed(
  { onetime }: Databases,
  device: DeviceId,
  suite: ServedSuite,
  { id, publicKey }: OneTimePrekey,
  now: number,
): void {
  const end = u48(Math.max(Math.ceil(now + LIMITS.claimedPrekeyMemoryMs.value), 0));
  onetime.putSync(claimedKey(device, suite, id), Buffer.from(publicKey));
  onetime.putSync(Buffer.concat([endPrefix(device, suite), end, u32(id)]), Buffer.of(0));
}

function forgetClaimed({ onetime }: Databases, device: DeviceId, suite: ServedSuite, now: number): void {
  const start = endPrefix(device, suite);
  const end = Buffer.concat([start, u48(Math.max(Math.floor(now), 0))]);
  for (const key of [...onetime.getKeys({ start, end, limit: FORGET_AT_ONCE })]) {
    onetime.removeSync(key);
    onetime.removeSync(claimedKey(device, suite, key.readUInt32BE(key.length - 4)));
  }
}

/** Those that are held are as good as handed out, which a restored store does not know of them; how many. */
export function retireOneTime(databases: Databases, device: DeviceId, suite: ServedSuite, now: number): number {
  const record = readPrekeys(databases, device, suite);
  if (!record) return 0;
  const order = orderPrefix(device, suite);
  const held = [...databases.onetime.getRange({ start: order, end: endOf(order) })].map(({ value }) =>
    readOneTime(value),
  );
  for (const key of held) {
    databases.onetime.removeSync(idKey(device, suite, key.id));
    noteClaimed(databases, device, suite, key, now);
  }
  removeUnder(databases.onetime, order);
  writePrekeys(databases, device, suite, { ...record, held: 0 });
  return held.length;
}

function withoutOneTime({ identityKey, signedPrekey }: PrekeyRecord): PrekeyBundle {
  return { identityKey, signedPrekey };
}

/**
 * Those of `keys` that are neither held nor claimed. `conflict` when an id is known with other
 * bytes.
 */
function newKeys(
  { onetime }: Databases,
  device: DeviceId,
  suite: ServedSuite,
  keys: readonly OneTimePrekey[],
): OneTimePrekey[] {
  const fresh = new Map<number, OneTimePrekey>();
  for (const key of keys) {
    const known =
      onetime.getBinary(idKey(device, suite, key.id)) ??
      onetime.getBinary(claimedKey(device, suite, key.id)) ??
      fresh.get(key.id)?.publicKey;
    if (!known) fresh.set(key.id, key);
    else if (!isSameBytes(known, key.publicKey))
      throw new StoreError('conflict', `one-time key ${key.id} is known with other bytes`);
  }
  return [...fresh.values()];
}

function addKeys(
  databases: Databases,
  device: DeviceId,
  suite: ServedSuite,
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

/** One-time keys held, oldest first, and those handed out lately, with when (ms). */
export function oneTimeKeysOf(
  { onetime }: Databases,
  device: DeviceId,
  suite: ServedSuite,
): { held: OneTimePrekey[]; claimed: (OneTimePrekey & { readonly at: number })[] } {
  const order = orderPrefix(device, suite);
  const held = [...onetime.getRange({ start: order, end: endOf(order) })].map(({ value }) => readOneTime(value));
  const prefix = endPrefix(device, suite);
  const claimed = keysUnder(onetime, prefix).flatMap((key) => {
    const id = key.readUInt32BE(key.length - 4);
    const publicKey = onetime.getBinary(claimedKey(device, suite, id));
    const at = key.readUIntBE(prefix.length, 6) - LIMITS.claimedPrekeyMemoryMs.value;
    return publicKey ? [{ id, publicKey, at }] : [];
  });
  return { held, claimed: claimed.sort((a, b) => a.id - b.id) };
}

function orderPrefix(device: DeviceId, suite: ServedSuite): Buffer {
  return prefixedKey(device, suiteByte(suite), BY_ORDER);
}

function claimedKey(device: DeviceId, suite: ServedSuite, id: number): Buffer {
  return prefixedKey(device, suiteByte(suite), CLAIMED, u32(id));
}

function endPrefix(device: DeviceId, suite: ServedSuite): Buffer {
  return prefixedKey(device, suiteByte(suite), BY_END);
}

function idKey(device: DeviceId, suite: ServedSuite, id: number): Buffer {
  return prefixedKey(device, suiteByte(suite), BY_ID, u32(id));
}

/**
 * The records of accounts, manifests and devices, and what happens to all of a device's data when
 * it goes.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { type Account, type Device, type StoredManifest, StoreError } from '../../port.ts';
import { keysOfDevice } from '../../sameness.ts';
import type { Databases } from '../environment.ts';
import { findRing } from '../log/ring-state.ts';
import { EMPTY_HEAD, encodeHead } from '../mailboxes/head.ts';
import { moveKeys } from './key-owners.ts';
import { prefixedKey, removeUnder, SUITES, textKey, u32 } from './keys.ts';
import { registeredKeys, removePrekeys } from './prekey-records.ts';
import { RecordReader, RecordWriter } from './record.ts';

/** Stands where an account or a device was: its name is never given out again. */
const TOMBSTONE = Buffer.of(0);

export interface AccountRecord extends Account {
  readonly newestVersion: number;
  readonly devices: readonly DeviceId[];
}

export interface DeviceRecord extends Device {
  readonly address: AccountAddress;
}

/** Undefined: never heard of. `gone`: deleted. */
export function readAccount({ accounts }: Databases, address: AccountAddress): AccountRecord | 'gone' | undefined {
  const bytes = accounts.getBinary(textKey(address));
  if (!bytes) return undefined;
  if (bytes.equals(TOMBSTONE)) return 'gone';
  const reader = new RecordReader(bytes);
  const accountKey = reader.bytes();
  const createdAt = reader.number();
  const newestVersion = reader.number();
  const devices = reader.list(() => reader.text() as DeviceId);
  reader.end();
  return { address, accountKey, createdAt, newestVersion, devices };
}

export function writeAccount({ accounts }: Databases, account: AccountRecord): void {
  const writer = new RecordWriter().bytes(account.accountKey).number(account.createdAt).number(account.newestVersion);
  writer.list(account.devices, (id) => writer.text(id));
  accounts.putSync(textKey(account.address), writer.finish());
}

/**
 * Manifests and app passwords go, the address stays taken. Its devices and attachments are the caller's.
 */
export function buryAccount(databases: Databases, { address, accountKey }: AccountRecord): void {
  moveKeys(databases, address, [accountKey], []);
  removeUnder(databases.manifests, prefixedKey(address));
  removeUnder(databases.apppasswords, prefixedKey(address));
  removeUnder(databases.accountrecords, prefixedKey(address));
  finishAccount(databases, address);
  databases.accounts.putSync(textKey(address), TOMBSTONE);
}

/** Undefined: somebody has finished it (or it is older than the record of that). */
export function readUnfinished({ unfinished }: Databases, address: AccountAddress): number | undefined {
  const bytes = unfinished.getBinary(textKey(address));
  if (!bytes) return undefined;
  const reader = new RecordReader(bytes);
  const since = reader.number();
  reader.end();
  return since;
}

export function writeUnfinished({ unfinished }: Databases, address: AccountAddress, since: number): void {
  unfinished.putSync(textKey(address), new RecordWriter().number(since).finish());
}

export function finishAccount({ unfinished }: Databases, address: AccountAddress): void {
  unfinished.removeSync(textKey(address));
}

export function readManifest(
  { manifests }: Databases,
  address: AccountAddress,
  version: number,
): StoredManifest | undefined {
  const bytes = manifests.getBinary(manifestKey(address, version));
  if (!bytes) return undefined;
  const reader = new RecordReader(bytes);
  const manifest = { version, bytes: reader.bytes(), signature: reader.bytes() };
  reader.end();
  return manifest;
}

export function writeManifest({ manifests }: Databases, address: AccountAddress, manifest: StoredManifest): void {
  const record = new RecordWriter().bytes(manifest.bytes).bytes(manifest.signature);
  manifests.putSync(manifestKey(address, manifest.version), record.finish());
}

/** Undefined: never heard of. `gone`: removed. */
export function readDevice({ devices }: Databases, id: DeviceId): DeviceRecord | 'gone' | undefined {
  const bytes = devices.getBinary(textKey(id));
  if (!bytes) return undefined;
  if (bytes.equals(TOMBSTONE)) return 'gone';
  const reader = new RecordReader(bytes);
  const address = reader.text() as AccountAddress;
  const loginKey = reader.bytes();
  const addedAt = reader.number();
  const identities = reader.list(() => {
    const suite = SUITES[reader.number()];
    if (!suite) throw new StoreError('corrupt', 'a device record names an unknown suite');
    return { suite, identityKey: reader.bytes() };
  });
  reader.end();
  return { id, address, identities, loginKey, addedAt };
}

/**
 * A new device with an empty mailbox. One that waited waits no more, and keeps its prekeys. Its
 * keys are checked by the caller.
 */
export function addDevice(databases: Databases, address: AccountAddress, device: Device): void {
  const before = usedKeys(databases, device.id);
  writeDevice(databases, address, device);
  const epoch = findRing(databases.journal)?.epoch ?? 0;
  databases.mailboxes.putSync(prefixedKey(device.id), encodeHead({ ...EMPTY_HEAD, epoch }));
  databases.waiting.removeSync(textKey(device.id));
  moveKeys(databases, device.id, before, usedKeys(databases, device.id));
}

export function writeDevice({ devices }: Databases, address: AccountAddress, device: Device): void {
  const writer = new RecordWriter().text(address).bytes(device.loginKey).number(device.addedAt);
  writer.list(device.identities, ({ suite, identityKey }) => writer.number(SUITES.indexOf(suite)).bytes(identityKey));
  devices.putSync(textKey(device.id), writer.finish());
}

/**
 * Login, prekeys and mailbox go, the id stays taken. The account's list of devices is the caller's.
 */
export function buryDevice(databases: Databases, id: DeviceId): void {
  moveKeys(databases, id, usedKeys(databases, id), []);
  databases.devices.putSync(textKey(id), TOMBSTONE);
  databases.waiting.removeSync(textKey(id));
  removeUnder(databases.mailboxes, prefixedKey(id));
  removeUnder(databases.onetime, prefixedKey(id));
  for (const suite of SUITES) removePrekeys(databases, id, suite);
}

/**
 * The public keys whose one owner this device is: of its manifest entry, and registered. Those of a
 * damaged record are not known any more: they stay taken.
 */
export function usedKeys(databases: Databases, id: DeviceId): Uint8Array[] {
  const record = unlessCorrupt(() => readDevice(databases, id));
  const listed = record && record !== 'gone' ? keysOfDevice(record) : [];
  return [...listed, ...(unlessCorrupt(() => registeredKeys(databases, id)) ?? [])];
}

/** Undefined: what it reads is damaged. */
export function unlessCorrupt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'corrupt') return undefined;
    throw error;
  }
}

function manifestKey(address: AccountAddress, version: number): Buffer {
  return prefixedKey(address, u32(version));
}

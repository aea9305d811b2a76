/**
 * Which public key is whose, in LMDB: a key has one owner (`Waiting` in the port says which keys).
 * The index is kept by the difference between what an owner used before a change and what it uses
 * after it, so that no path of removal can forget a key.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { KeyTakenError } from '../../port.ts';
import type { Databases, Db } from '../environment.ts';

export type KeyOwner = AccountAddress | DeviceId;

export interface KeyClaim {
  readonly owner: KeyOwner;
  readonly keys: readonly Uint8Array[];
}

/**
 * As much of a key as tells it from others: hybrid prekeys are longer than a key of LMDB may be,
 * and begin with a curve's key.
 */
const TELLING_BYTES = 64;

/**
 * Throws `KeyTakenError` when a key has another owner, or two of these claims have one key. Owners
 * in `leaving` go in the same transaction: their keys are free.
 */
export function checkKeys(
  { keyowners }: Databases,
  claims: readonly KeyClaim[],
  leaving: ReadonlySet<KeyOwner> = new Set(),
): void {
  const claimed = new Map<string, KeyOwner>();
  for (const { owner, keys } of claims)
    for (const key of keys) {
      const name = nameOf(key);
      const known = readOwner(keyowners, name);
      const other = claimed.get(name.toString('latin1')) ?? (known && leaving.has(known) ? undefined : known);
      if (other !== undefined && other !== owner) throw new KeyTakenError();
      claimed.set(name.toString('latin1'), owner);
    }
}

/** `after` are the owner's keys from now on, `before` what it had. Checked before. */
export function moveKeys(
  { keyowners }: Databases,
  owner: KeyOwner,
  before: readonly Uint8Array[],
  after: readonly Uint8Array[],
): void {
  const kept = after.map(nameOf);
  for (const name of before.map(nameOf)) {
    if (kept.some((other) => other.equals(name))) continue;
    if (readOwner(keyowners, name) === owner) keyowners.removeSync(name);
  }
  const value = Buffer.from(owner, 'utf8');
  for (const name of kept) if (!keyowners.getBinary(name)?.equals(value)) keyowners.putSync(name, value);
}

export function ownerOf({ keyowners }: Databases, key: Uint8Array): KeyOwner | undefined {
  return readOwner(keyowners, nameOf(key));
}

function readOwner(keyowners: Db, name: Buffer): KeyOwner | undefined {
  return keyowners.getBinary(name)?.toString('utf8') as KeyOwner | undefined;
}

function nameOf(key: Uint8Array): Buffer {
  return Buffer.from(key.subarray(0, TELLING_BYTES));
}

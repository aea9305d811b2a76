/** Which public key is whose, in memory: a key has one owner (`Waiting` in the port says which keys). */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { KeyTakenError } from '../port.ts';
import { keysOfDevice } from '../sameness.ts';
import { type MemoryState, textOf } from './state.ts';

export type KeyOwner = AccountAddress | DeviceId;

export interface KeyClaim {
  readonly owner: KeyOwner;
  readonly keys: readonly Uint8Array[];
}

/**
 * Throws `KeyTakenError` when a key has another owner, or two of these claims have one key. Owners in `leaving` go at the same time: their
 * keys are free.
 */
export function checkKeys(
  { keyOwners }: MemoryState,
  claims: readonly KeyClaim[],
  leaving: ReadonlySet<KeyOwner> = new Set(),
): void {
  const claimed = new Map<string, KeyOwner>();
  for (const { owner, keys } of claims)
    for (const name of keys.map(textOf)) {
      const known = keyOwners.get(name);
      const other = claimed.get(name) ?? (known && leaving.has(known) ? undefined : known);
      if (other !== undefined && other !== owner) throw new KeyTakenError();
      claimed.set(name, owner);
    }
}

export function holdKeys({ keyOwners }: MemoryState, owner: KeyOwner, keys: readonly Uint8Array[]): void {
  for (const key of keys) keyOwners.set(textOf(key), owner);
}

export function releaseKeys({ keyOwners }: MemoryState, owner: KeyOwner, keys: readonly Uint8Array[]): void {
  for (const name of keys.map(textOf)) if (keyOwners.get(name) === owner) keyOwners.delete(name);
}

/** Carries out `change`; what the device does not use any more after it is free, and what it uses is its own. */
export function withKeys(state: MemoryState, device: DeviceId, change: () => void): void {
  releaseKeys(state, device, usedKeys(state, device));
  change();
  holdKeys(state, device, usedKeys(state, device));
}

/** The public keys whose one owner this device is: of its manifest entry, and registered. */
export function usedKeys(state: MemoryState, id: DeviceId): Uint8Array[] {
  const listed = state.devices.get(id);
  const { prekeys } = listed ?? state.waiting.get(id) ?? { prekeys: new Map() };
  const registered = [...prekeys.values()].flatMap((row) => [row.identityKey, row.signedPrekey.publicKey]);
  return listed ? [...keysOfDevice(listed.device), ...registered] : registered;
}

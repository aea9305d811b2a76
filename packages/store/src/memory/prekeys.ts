/** LIME key material, in memory. */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import { LIMITS } from '@sealwire/wire/limits';
import { copyBundle, copyOneTimePrekey, copySignedPrekey } from '../copies.ts';
import { type OneTimePrekey, type PrekeyBundle, type Prekeys, StoreError } from '../port.ts';
import { isSameBundle, isSameBytes } from '../sameness.ts';
import { checkKeys, holdKeys, withKeys } from './key-owners.ts';
import type { ClaimedKey, KeyRow, MemoryState, PrekeyRow } from './state.ts';

export function memoryPrekeys(state: MemoryState): Prekeys {
  function registered(device: DeviceId, suite: ServedSuite): PrekeyRow {
    const row = keysOf(state, device)?.prekeys.get(suite);
    if (!row) throw new StoreError('not-found', 'the device has not registered keys on this suite');
    return row;
  }

  return {
    async register(device, suite, bundle, oneTime) {
      const row = state.devices.get(device);
      if (!row) throw new StoreError('not-found', 'no such device');
      return storeRegistration(state, device, row, suite, bundle, oneTime);
    },

    async replaceSignedPrekey(device, suite, signedPrekey) {
      const row = registered(device, suite);
      checkKeys(state, [{ owner: device, keys: [signedPrekey.publicKey] }]);
      withKeys(state, device, () => {
        row.signedPrekey = copySignedPrekey(signedPrekey);
      });
    },

    async addOneTime(device, suite, keys, { maximum, now }) {
      const row = registered(device, suite);
      forgetClaimed(row, now);
      const fresh = newKeys(row, keys);
      if (row.oneTime.size + fresh.length > maximum)
        throw new StoreError('limit', `at most ${maximum} one-time keys are held, ${row.oneTime.size} are there`);
      for (const key of fresh) row.oneTime.set(key.id, key);
    },

    async listOneTime(device, suite) {
      return [...registered(device, suite).oneTime.keys()];
    },

    async find(suite, devices) {
      return devices.map((device) => {
        const row = keysOf(state, device)?.prekeys.get(suite);
        return row && copyBundle(row);
      });
    },

    async claim(suite, devices, now) {
      return devices.map((device): PrekeyBundle | undefined => {
        const row = keysOf(state, device)?.prekeys.get(suite);
        if (!row) return undefined;
        const oldest = row.oneTime.values().next().value;
        if (oldest) {
          row.oneTime.delete(oldest.id);
          row.claimed.set(oldest.id, { publicKey: oldest.publicKey, at: now });
        }
        return copyBundle(row, oldest);
      });
    },

    async delete(device, suite) {
      withKeys(state, device, () => keysOf(state, device)?.prekeys.delete(suite));
      if (state.waiting.get(device)?.prekeys.size === 0) state.waiting.delete(device);
    },
  };
}

/** In the one or the other of the two states of a device. */
function keysOf(state: MemoryState, device: DeviceId): KeyRow | undefined {
  return state.devices.get(device) ?? state.waiting.get(device);
}

/** Into `row`, which is in the state already or is put there by the caller. Throws before it changes anything. */
export function storeRegistration(
  state: MemoryState,
  device: DeviceId,
  row: KeyRow,
  suite: ServedSuite,
  bundle: PrekeyBundle,
  oneTime: readonly OneTimePrekey[],
): 'registered' | 'same' {
  const known = row.prekeys.get(suite);
  if (known) {
    if (isSameBundle(known, bundle)) return 'same';
    throw new StoreError('conflict', 'the device has registered other keys on this suite');
  }
  const keys = [bundle.identityKey, bundle.signedPrekey.publicKey];
  checkKeys(state, [{ owner: device, keys }]);
  const claimed = row.claimed.get(suite) ?? new Map<number, ClaimedKey>();
  const fresh: PrekeyRow = { ...copyBundle(bundle), oneTime: new Map(), claimed };
  for (const key of newKeys(fresh, oneTime)) fresh.oneTime.set(key.id, key);
  row.claimed.set(suite, claimed);
  row.prekeys.set(suite, fresh);
  const account = state.accounts.get(accountOf(device));
  if (account) account.unfinishedSince = undefined;
  holdKeys(state, device, keys);
  return 'registered';
}

/** Those of `keys` that are neither held nor handed out, copied. `conflict` when an id is known with other bytes. */
function newKeys(row: PrekeyRow, keys: readonly OneTimePrekey[]): OneTimePrekey[] {
  const fresh = new Map<number, OneTimePrekey>();
  for (const { id, publicKey } of keys) {
    const known = row.oneTime.get(id)?.publicKey ?? row.claimed.get(id)?.publicKey ?? fresh.get(id)?.publicKey;
    if (!known) fresh.set(id, copyOneTimePrekey({ id, publicKey }));
    else if (!isSameBytes(known, publicKey))
      throw new StoreError('conflict', `one-time key ${id} is known with other bytes`);
  }
  return [...fresh.values()];
}

function forgetClaimed({ claimed }: PrekeyRow, now: number): void {
  for (const [id, { at }] of claimed) {
    if (at >= now - LIMITS.claimedPrekeyMemoryMs.value) break;
    claimed.delete(id);
  }
}

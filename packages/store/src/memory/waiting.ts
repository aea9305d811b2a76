/** Waiting devices, in memory. */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { SUITE_NAMES } from '@sealwire/wire/lime-server';
import { StoreError, type Waiting, type WaitingDevice } from '../port.ts';
import { releaseKeys, usedKeys } from './key-owners.ts';
import { storeRegistration } from './prekeys.ts';
import type { MemoryState, WaitingRow } from './state.ts';

export function memoryWaiting(state: MemoryState): Waiting {
  return {
    async register(device, suite, bundle, oneTime, { maximum, now, withoutAccount = false }) {
      const address = accountOf(device);
      const account = state.accounts.get(address);
      if (!account && !withoutAccount) throw new StoreError('not-found', 'no such account');
      if (state.used.has(device)) throw new StoreError('conflict', 'the device is listed, or was removed');
      const known = state.waiting.get(device);
      const held = (account?.devices.size ?? 0) + waitingIds(state, address).length;
      if (!known && held >= maximum) throw new StoreError('limit', `an account has at most ${maximum} devices`);
      const row = known ?? { since: now, prekeys: new Map(), claimed: new Map() };
      const result = storeRegistration(state, device, row, suite, bundle, oneTime);
      state.waiting.set(device, row);
      return result;
    },

    async find(id) {
      const row = state.waiting.get(id);
      return row && waitingDevice(id, row);
    },

    async list(address) {
      const devices = waitingIds(state, address).map((id) => waitingDevice(id, state.waiting.get(id)!));
      return devices.sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
    },

    async remove(id) {
      if (state.waiting.has(id)) removeWaiting(state, id);
    },
  };
}

/** With copies of its keys, in the order of LIME's ids. */
export function waitingDevice(id: DeviceId, { since, prekeys }: WaitingRow): WaitingDevice {
  const identities = [...prekeys].map(([suite, { identityKey }]) => ({ suite, identityKey: identityKey.slice() }));
  return {
    id,
    identities: identities.sort((a, b) => SUITE_NAMES.indexOf(a.suite) - SUITE_NAMES.indexOf(b.suite)),
    since,
  };
}

export function waitingIds(state: MemoryState, address: AccountAddress): DeviceId[] {
  return [...state.waiting.keys()].filter((id) => accountOf(id) === address);
}

/** The id stays taken. */
export function removeWaiting(state: MemoryState, id: DeviceId): void {
  releaseKeys(state, id, usedKeys(state, id));
  state.waiting.delete(id);
  state.used.add(id);
}

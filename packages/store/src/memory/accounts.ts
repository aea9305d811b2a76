/** Accounts, their manifests and devices, in memory. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { copyAccount, copyDevice, copyManifest } from '../copies.ts';
import { byBytes, isAbove } from '../key-order.ts';
import {
  type Account,
  type Accounts,
  type Device,
  type Devices,
  type Manifests,
  type StoredManifest,
  StoreError,
  type UnfinishedTerms,
} from '../port.ts';
import { checkReset } from '../resetting.ts';
import { isSameBytes, isSameDevice, isSameIdentities, keysOfDevice } from '../sameness.ts';
import { removeAccountRecords } from './account-records.ts';
import { expireAttachments } from './attachments.ts';
import { checkKeys, holdKeys, type KeyClaim, releaseKeys, usedKeys } from './key-owners.ts';
import { type AccountRow, emptyMailbox, type MemoryState, textOf } from './state.ts';
import { removeWaiting, waitingDevice, waitingIds } from './waiting.ts';

export function memoryAccounts(state: MemoryState): Accounts {
  return {
    async create(account, manifest, devices, invitation, unfinished) {
      const known = state.accounts.get(account.address);
      if (known && isRepeat(known, account, manifest)) return 'exists';
      const good = invitation && state.invitations.get(textOf(invitation.hash));
      if (invitation && (!good || good.uses < 1 || good.expiresAt <= invitation.now))
        throw new StoreError('not-found', 'the invitation is not known, used up or expired');
      const old = known && unfinished && outOfTime(known, unfinished) ? known : undefined;
      if (state.used.has(account.address) && !old) throw new StoreError('conflict', 'the address is taken');
      if (manifest.version !== 1) throw new StoreError('conflict', 'the first manifest has version 1');
      checkNew(state, devices);
      const claims = [{ owner: account.address, keys: [account.accountKey] }, ...claimsOf(devices)];
      checkKeys(state, claims, new Set(old && [account.address, ...old.devices]));
      if (old) {
        removeAccount(state, old);
        expireAttachments(state, account.address);
      }
      if (good) good.uses--;
      addAccount(state, account, manifest, devices, account.createdAt);
      return 'created';
    },

    async reset(account, manifest, devices, { from, code }) {
      const { address, accountKey } = account;
      const known = state.accounts.get(address);
      if (known && isRepeat(known, account, manifest)) return 'exists';
      const good = state.invitations.get(textOf(code.hash));
      if (!known || !good || good.uses < 1 || good.expiresAt <= code.now)
        throw new StoreError('not-found', 'the reset code is not known, used up or expired');
      checkReset(known.account.accountKey, from, accountKey, manifest);
      checkNew(state, devices);
      const leaving = new Set([address, ...known.devices]);
      checkKeys(state, [{ owner: address, keys: [accountKey] }, ...claimsOf(devices)], leaving);
      good.uses--;
      removeAccount(state, known);
      addAccount(state, account, manifest, devices, undefined);
      return 'reset';
    },

    async find(address) {
      const row = state.accounts.get(address);
      return row && copyAccount(row.account);
    },

    async page(after, limit) {
      const addresses = [...state.accounts.keys()].filter((address) => isAbove(address, after)).sort(byBytes);
      return addresses.slice(0, limit).map((address) => copyAccount(state.accounts.get(address)!.account));
    },

    async areAny() {
      return [...state.used].some((name) => !name.includes(';'));
    },

    async delete(address) {
      const row = state.accounts.get(address);
      if (!row) return;
      removeAccount(state, row);
      expireAttachments(state, address);
    },

    async addInvitation(hash, uses, expiresAt) {
      state.invitations.set(textOf(hash), { uses, expiresAt });
    },

    async findInvitation(hash) {
      const known = state.invitations.get(textOf(hash));
      return known && { uses: known.uses, expiresAt: known.expiresAt };
    },
  };
}

export function memoryManifests(state: MemoryState): Manifests {
  return {
    async newest(address) {
      const newest = state.accounts.get(address)?.manifests.at(-1);
      return newest && copyManifest(newest);
    },

    async history(address, after, limit) {
      const all = state.accounts.get(address)?.manifests ?? [];
      return all.slice(after, after + limit).map(copyManifest);
    },

    async publish(address, manifest, devices) {
      const row = state.accounts.get(address);
      if (!row) throw new StoreError('not-found', 'no such account');
      const same = row.manifests[manifest.version - 1];
      if (same && isSameBytes(same.bytes, manifest.bytes)) return;
      if (manifest.version !== row.manifests.length + 1)
        throw new StoreError('conflict', `the next manifest has version ${row.manifests.length + 1}`);
      const added = devices.filter(({ id }) => !row.devices.has(id));
      checkNew(state, added);
      for (const device of devices) {
        const known = row.devices.has(device.id) && state.devices.get(device.id);
        if (known && !isSameDevice(known.device, device))
          throw new StoreError('conflict', `a device that stays keeps its keys: ${device.id}`);
      }
      const named = new Set(devices.map(({ id }) => id));
      const leaving = [...row.devices].filter((id) => !named.has(id));
      checkKeys(state, claimsOf(added), new Set(leaving));
      for (const id of leaving) removeDevice(state, row, id);
      for (const device of added) addDevice(state, row, device);
      row.manifests.push(copyManifest(manifest));
      row.unfinishedSince = undefined;
    },
  };
}

export function memoryDevices(state: MemoryState): Devices {
  return {
    async find(id) {
      const row = state.devices.get(id);
      return row && copyDevice(row.device);
    },

    async list(addresses) {
      return addresses.map((address) => {
        const ids = state.accounts.get(address)?.devices ?? [];
        const devices = [...ids].map((id) => state.devices.get(id)?.device).filter((device) => device !== undefined);
        return devices.sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1)).map(copyDevice);
      });
    },

    async remove(id) {
      for (const row of state.accounts.values()) if (row.devices.has(id)) removeDevice(state, row, id);
    },
  };
}

/** The time of one made in the future begins now. */
function outOfTime(row: AccountRow, { now, afterMs }: UnfinishedTerms): boolean {
  if (row.unfinishedSince === undefined) return false;
  row.unfinishedSince = Math.min(row.unfinishedSince, now);
  return now - row.unfinishedSince >= afterMs;
}

function isRepeat({ account, manifests }: AccountRow, again: Account, { bytes }: StoredManifest): boolean {
  const [first] = manifests;
  return isSameBytes(account.accountKey, again.accountKey) && first !== undefined && isSameBytes(first.bytes, bytes);
}

function addAccount(
  state: MemoryState,
  account: Account,
  manifest: StoredManifest,
  devices: readonly Device[],
  unfinishedSince: number | undefined,
): void {
  const row: AccountRow = {
    account: copyAccount(account),
    manifests: [copyManifest(manifest)],
    devices: new Set(),
    appPasswords: new Map(),
    unfinishedSince,
  };
  state.accounts.set(account.address, row);
  state.used.add(account.address);
  holdKeys(state, account.address, [account.accountKey]);
  for (const device of devices) addDevice(state, row, device);
}

function removeAccount(state: MemoryState, row: AccountRow): void {
  const { address, accountKey } = row.account;
  for (const id of [...row.devices]) removeDevice(state, row, id);
  for (const id of waitingIds(state, address)) removeWaiting(state, id);
  releaseKeys(state, address, [accountKey]);
  removeAccountRecords(state, address);
  state.accounts.delete(address);
}

/** Ids that nobody has or had; one that waits is named with the identities that it registered. */
function checkNew(state: MemoryState, devices: readonly Device[]): void {
  const seen = new Set<AccountAddress | DeviceId>();
  for (const { id, identities } of devices) {
    if (state.used.has(id) || seen.has(id)) throw new StoreError('conflict', `the device id is taken: ${id}`);
    seen.add(id);
    const waits = state.waiting.get(id);
    if (waits && !isSameIdentities(waitingDevice(id, waits).identities, identities))
      throw new StoreError('conflict', `a waiting device has other identity keys: ${id}`);
  }
}

function claimsOf(devices: readonly Device[]): KeyClaim[] {
  return devices.map((device) => ({ owner: device.id, keys: keysOfDevice(device) }));
}

/** One that waited waits no more, and keeps its prekeys. */
function addDevice(state: MemoryState, row: AccountRow, device: Device): void {
  const { prekeys = new Map(), claimed = new Map() } = state.waiting.get(device.id) ?? {};
  state.waiting.delete(device.id);
  row.devices.add(device.id);
  state.used.add(device.id);
  state.devices.set(device.id, { device: copyDevice(device), prekeys, claimed, mailbox: emptyMailbox() });
  holdKeys(state, device.id, keysOfDevice(device));
}

function removeDevice(state: MemoryState, row: AccountRow, id: DeviceId): void {
  releaseKeys(state, id, usedKeys(state, id));
  row.devices.delete(id);
  state.devices.delete(id);
}

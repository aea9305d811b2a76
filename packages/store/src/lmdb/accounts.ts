/**
 * Accounts, their manifests and devices, in LMDB: each call one transaction, stronger than the port
 * asks.
 */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { copyAccount, copyDevice, copyManifest } from '../copies.ts';
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
import { isSameBytes, isSameDevice, isSameIdentities, keysOfDevice } from '../sameness.ts';
import type { Databases, Environment } from './environment.ts';
import {
  type AccountRecord,
  addDevice,
  buryAccount,
  buryDevice,
  finishAccount,
  readAccount,
  readDevice,
  readManifest,
  readUnfinished,
  unlessCorrupt,
  writeAccount,
  writeDevice,
  writeManifest,
  writeUnfinished,
} from './records/account-records.ts';
import { checkKeys, type KeyClaim, moveKeys } from './records/key-owners.ts';
import { registeredKeys } from './records/prekey-records.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import { readWaiting, waitingIds } from './records/waiting-records.ts';
import type { Writer } from './writer.ts';

/** These devices are gone: what is in memory of their mailboxes is nothing any more. */
export type Forget = (devices: readonly DeviceId[]) => void;

export function lmdbAccounts({ databases, renew }: Environment, writer: Writer, forget: Forget): Accounts {
  function readInvitation(hash: Uint8Array): { uses: number; expiresAt: number } | undefined {
    const bytes = databases.invitations.getBinary(Buffer.from(hash));
    if (!bytes) return undefined;
    const reader = new RecordReader(bytes);
    return { uses: reader.number(), expiresAt: reader.number() };
  }

  function writeInvitation(hash: Uint8Array, uses: number, expiresAt: number): void {
    databases.invitations.putSync(Buffer.from(hash), new RecordWriter().number(uses).number(expiresAt).finish());
  }

  /**
   * The account there, if nobody finished it in time. A record says so; keys or another manifest
   * would say otherwise, where a version that knows of no such record has been.
   */
  function outOfTime(address: AccountAddress, { now, afterMs }: UnfinishedTerms): AccountRecord | undefined {
    const account = readAccount(databases, address);
    const since = readUnfinished(databases, address);
    if (!account || account === 'gone' || since === undefined) return undefined;
    // A write before what may refuse, which is as good without the rest.
    if (since > now) writeUnfinished(databases, address, now);
    if (now - since < afterMs) return undefined;
    const ids = [...account.devices, ...waitingIds(databases, address)];
    if (account.newestVersion !== 1 || ids.some((id) => registeredKeys(databases, id).length > 0)) return undefined;
    return account;
  }

  function bury(account: AccountRecord): readonly DeviceId[] {
    for (const id of [...account.devices, ...waitingIds(databases, account.address)]) buryDevice(databases, id);
    buryAccount(databases, account);
    return account.devices;
  }

  function isRepeat(account: Account, manifest: StoredManifest): boolean {
    const known = readAccount(databases, account.address);
    if (!known || known === 'gone' || !isSameBytes(known.accountKey, account.accountKey)) return false;
    const first = readManifest(databases, account.address, 1);
    return first !== undefined && isSameBytes(first.bytes, manifest.bytes);
  }

  return {
    async create(account, manifest, devices, invitation, unfinished) {
      const copy = copyAccount(account);
      const first = copyManifest(manifest);
      const all = devices.map(copyDevice);
      const code = invitation && { hash: invitation.hash.slice(), now: invitation.now };
      const terms = unfinished && { ...unfinished };
      const gone = await writer.run(() => {
        if (isRepeat(copy, first)) return 'exists';
        const good = code && readInvitation(code.hash);
        if (code && (!good || good.uses < 1 || good.expiresAt <= code.now))
          throw new StoreError('not-found', 'the invitation is not known, used up or expired');
        const old = terms && outOfTime(copy.address, terms);
        if (!old && readAccount(databases, copy.address)) throw new StoreError('conflict', 'the address is taken');
        if (first.version !== 1) throw new StoreError('conflict', 'the first manifest has version 1');
        checkNew(databases, all);
        const claims = [{ owner: copy.address, keys: [copy.accountKey] }, ...claimsOf(all)];
        checkKeys(databases, claims, new Set(old && [copy.address, ...old.devices]));
        const leaving = old ? bury(old) : [];
        if (code && good) writeInvitation(code.hash, good.uses - 1, good.expiresAt);
        writeAccount(databases, { ...copy, newestVersion: 1, devices: all.map(({ id }) => id) });
        writeUnfinished(databases, copy.address, copy.createdAt);
        writeManifest(databases, copy.address, first);
        moveKeys(databases, copy.address, [], [copy.accountKey]);
        for (const device of all) addDevice(databases, copy.address, device);
        return leaving;
      });
      if (gone === 'exists') return gone;
      forget(gone);
      return 'created';
    },

    async areAny() {
      renew();
      return [...databases.accounts.getKeys({ limit: 1 })].length > 0;
    },

    async find(address) {
      renew();
      const account = readAccount(databases, address);
      if (!account || account === 'gone') return undefined;
      const { accountKey, createdAt } = account;
      return { address, accountKey, createdAt };
    },

    async delete(address) {
      const gone = await writer.run(() => {
        const account = readAccount(databases, address);
        if (!account || account === 'gone') return [];
        return bury(account);
      });
      forget(gone);
    },

    async addInvitation(hash, uses, expiresAt) {
      const copy = hash.slice();
      await writer.run(() => writeInvitation(copy, uses, expiresAt));
    },
  };
}

export function lmdbManifests({ databases, renew }: Environment, writer: Writer, forget: Forget): Manifests {
  function existing(address: AccountAddress) {
    const account = readAccount(databases, address);
    return account === 'gone' ? undefined : account;
  }

  return {
    async newest(address) {
      renew();
      const account = existing(address);
      return account && readManifest(databases, address, account.newestVersion);
    },

    async history(address, after, limit) {
      renew();
      const newest = existing(address)?.newestVersion ?? 0;
      const manifests: StoredManifest[] = [];
      for (let version = after + 1; version <= newest && manifests.length < limit; version++) {
        const manifest = readManifest(databases, address, version);
        if (!manifest) throw new StoreError('corrupt', 'a manifest is missing from the history of its account');
        manifests.push(manifest);
      }
      return manifests;
    },

    async publish(address, manifest, devices) {
      const next = copyManifest(manifest);
      const all = devices.map(copyDevice);
      const gone = await writer.run(() => {
        const account = existing(address);
        if (!account) throw new StoreError('not-found', 'no such account');
        const same = readManifest(databases, address, next.version);
        if (same && isSameBytes(same.bytes, next.bytes)) return [];
        if (next.version !== account.newestVersion + 1)
          throw new StoreError('conflict', `the next manifest has version ${account.newestVersion + 1}`);
        const held = new Set(account.devices);
        const added = all.filter(({ id }) => !held.has(id));
        checkNew(databases, added);
        for (const device of all) checkUnchanged(databases, held, device);
        const named = new Set(all.map(({ id }) => id));
        const leaving = account.devices.filter((id) => !named.has(id));
        checkKeys(databases, claimsOf(added), new Set(leaving));
        for (const id of leaving) buryDevice(databases, id);
        for (const device of all) if (isDamaged(databases, device.id)) writeDevice(databases, address, device);
        for (const device of added) addDevice(databases, address, device);
        finishAccount(databases, address);
        writeManifest(databases, address, next);
        writeAccount(databases, { ...account, newestVersion: next.version, devices: [...named] });
        return leaving;
      });
      forget(gone);
    },
  };
}

export function lmdbDevices({ databases, renew }: Environment, writer: Writer, forget: Forget): Devices {
  function find(id: DeviceId): Device | undefined {
    const record = readDevice(databases, id);
    if (!record || record === 'gone') return undefined;
    const { identities, loginKey, addedAt } = record;
    return { id, identities, loginKey, addedAt };
  }

  /** Of a device whose record is damaged no key is known: it has its mailbox, and cannot log in. */
  function findOrName(id: DeviceId): Device | undefined {
    return isDamaged(databases, id) ? { id, identities: [], loginKey: new Uint8Array(0), addedAt: 0 } : find(id);
  }

  return {
    async find(id) {
      renew();
      return find(id);
    },

    async list(addresses) {
      renew();
      return addresses.map((address) => {
        const account = readAccount(databases, address);
        if (!account || account === 'gone') return [];
        const devices = account.devices.map(findOrName).filter((device) => device !== undefined);
        return devices.sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1));
      });
    },

    async remove(id) {
      await writer.run(() => {
        const isThere = unlessCorrupt(() => readDevice(databases, id)) ?? isDamaged(databases, id);
        if (!isThere || isThere === 'gone') return;
        const account = readAccount(databases, accountOf(id));
        if (!account || account === 'gone') throw new StoreError('corrupt', 'a device without its account');
        writeAccount(databases, { ...account, devices: account.devices.filter((other) => other !== id) });
        buryDevice(databases, id);
      });
      forget([id]);
    },
  };
}

/** Ids that nobody has or had; one that waits is named with the identities that it registered. */
function checkNew(databases: Databases, devices: readonly Device[]): void {
  const seen = new Set<DeviceId>();
  for (const { id, identities } of devices) {
    if (readDevice(databases, id) || seen.has(id)) throw new StoreError('conflict', `the device id is taken: ${id}`);
    seen.add(id);
    const waits = readWaiting(databases, id);
    if (waits && !isSameIdentities(waits.identities, identities))
      throw new StoreError('conflict', `a waiting device has other identity keys: ${id}`);
  }
}

function isDamaged(databases: Databases, id: DeviceId): boolean {
  return unlessCorrupt(() => readDevice(databases, id) ?? 'none') === undefined;
}

function claimsOf(devices: readonly Device[]): KeyClaim[] {
  return devices.map((device) => ({ owner: device.id, keys: keysOfDevice(device) }));
}

function checkUnchanged(databases: Databases, held: ReadonlySet<DeviceId>, device: Device): void {
  // What is damaged is written anew: as the manifest says, which the account key signed.
  if (!held.has(device.id) || isDamaged(databases, device.id)) return;
  const known = readDevice(databases, device.id);
  if (!known || known === 'gone') throw new StoreError('corrupt', 'an account lists a device that is not there');
  if (!isSameDevice(known, device))
    throw new StoreError('conflict', `a device that stays keeps its keys: ${device.id}`);
}

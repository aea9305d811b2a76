/**
 * Accounts, their manifests and devices, in LMDB: each call one transaction, stronger than the port
 * asks.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { copyAccount, copyDevice, copyManifest } from '../copies.ts';
import {
  type Account,
  type Accounts,
  type Device,
  type Manifests,
  type StoredManifest,
  StoreError,
  type UnfinishedTerms,
} from '../port.ts';
import { checkReset } from '../resetting.ts';
import { isSameBytes, isSameDevice, isSameIdentities, keysOfDevice } from '../sameness.ts';
import { type Forget, isDamaged } from './devices.ts';
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
  writeAccount,
  writeDevice,
  writeManifest,
  writeUnfinished,
} from './records/account-records.ts';
import { expireAttachments } from './records/attachment-records.ts';
import { checkKeys, type KeyClaim, moveKeys } from './records/key-owners.ts';
import { registeredKeys } from './records/prekey-records.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import { readWaiting, waitingIds } from './records/waiting-records.ts';
import type { Writer } from './writer.ts';

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

  function writeNew(account: Account, first: StoredManifest, devices: readonly Device[]): void {
    writeAccount(databases, { ...account, newestVersion: 1, devices: devices.map(({ id }) => id) });
    writeManifest(databases, account.address, first);
    moveKeys(databases, account.address, [], [account.accountKey]);
    for (const device of devices) addDevice(databases, account.address, device);
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
        if (old) expireAttachments(databases, copy.address);
        if (code && good) writeInvitation(code.hash, good.uses - 1, good.expiresAt);
        writeNew(copy, first, all);
        writeUnfinished(databases, copy.address, copy.createdAt);
        return leaving;
      });
      if (gone === 'exists') return gone;
      forget(gone);
      return 'created';
    },

    async reset(account, manifest, devices, { from, code }) {
      const copy = copyAccount(account);
      const first = copyManifest(manifest);
      const all = devices.map(copyDevice);
      const terms = { from: from.slice(), hash: code.hash.slice(), now: code.now };
      const gone = await writer.run(() => {
        if (isRepeat(copy, first)) return 'exists';
        const old = readAccount(databases, copy.address);
        const good = readInvitation(terms.hash);
        if (!old || old === 'gone' || !good || good.uses < 1 || good.expiresAt <= terms.now)
          throw new StoreError('not-found', 'the reset code is not known, used up or expired');
        checkReset(old.accountKey, terms.from, copy.accountKey, first);
        checkNew(databases, all);
        const claims = [{ owner: copy.address, keys: [copy.accountKey] }, ...claimsOf(all)];
        checkKeys(databases, claims, new Set([copy.address, ...old.devices]));
        const leaving = bury(old);
        writeInvitation(terms.hash, good.uses - 1, good.expiresAt);
        writeNew(copy, first, all);
        return leaving;
      });
      if (gone === 'exists') return gone;
      forget(gone);
      return 'reset';
    },

    async page(after, limit) {
      renew();
      const page: Account[] = [];
      const start = Buffer.from(`${after}\0`);
      for (const key of databases.accounts.getKeys(after === '' ? {} : { start })) {
        const address = key.toString() as AccountAddress;
        const account = readAccount(databases, address);
        if (!account || account === 'gone') continue;
        const { accountKey, createdAt } = account;
        page.push({ address, accountKey, createdAt });
        if (page.length === limit) break;
      }
      return page;
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
        expireAttachments(databases, address);
        return bury(account);
      });
      forget(gone);
    },

    async addInvitation(hash, uses, expiresAt) {
      const copy = hash.slice();
      await writer.run(() => writeInvitation(copy, uses, expiresAt));
    },

    async findInvitation(hash) {
      renew();
      return readInvitation(hash);
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

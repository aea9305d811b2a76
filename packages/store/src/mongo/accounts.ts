/** Accounts, their manifests and devices: one document an account, whose change is what counts. */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { trusted } from 'mongoose';
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
import {
  allOf,
  deviceFields,
  deviceOut,
  leavingOf,
  manifestFields,
  manifestOut,
  newAccount,
} from './account-fields.ts';
import { removeAccountRecords } from './account-records.ts';
import { changeAccount, readAccount, replaceAccount } from './account-row.ts';
import { expireAttachments } from './attachments.ts';
import { bytesOf } from './bytes.ts';
import type { AccountDocument, ManifestDocument, ManifestFields } from './documents.ts';
import type { Ground } from './ground.ts';
import { findInvitation, giveUseBack, setInvitation, takerOf, takeUse } from './invitations.ts';
import { claimKeys, type KeyClaim, type KeyOwner } from './key-owners.ts';
import { waitingIdentities } from './waiting-list.ts';

export function mongoAccounts(ground: Ground): Accounts {
  return {
    async create(account, manifest, devices, invitation, unfinished) {
      const { address } = account;
      const taker = takerOf(account, manifest);
      let isTaken = false;
      try {
        return await changeAccount(ground, address, async (before) => {
          if (await isRepeat(ground, before, account, manifest)) return { answer: 'exists' };
          if (invitation && !isTaken) await takeUse(ground, invitation, taker);
          isTaken = true;
          const old = unfinished && (await makesRoom(ground, before, unfinished)) ? before : undefined;
          if (before.state !== 'none' && !old) throw new StoreError('conflict', 'the address is taken');
          if (manifest.version !== 1) throw new StoreError('conflict', 'the first manifest has version 1');
          await checkNew(ground, before, devices);
          const claims = [{ owner: address, keys: [account.accountKey] }, ...claimsOf(devices)];
          const leaving = old ? allOf(old) : [];
          // Before it makes room: whoever has its name then may have attachments and records, too.
          if (old) {
            await expireAttachments(ground, address);
            await removeAccountRecords(ground, address);
          }
          const owners = new Set(leaving.map(({ id }) => id as KeyOwner));
          await claimKeys(ground, claims, { field: 'account', rev: before.rev + 1 }, owners);
          return {
            answer: 'created',
            changes: {
              ...newAccount(account, manifest, devices),
              unfinishedSince: account.createdAt,
              waiting: old ? [] : withoutListed(before, devices),
              gone: [...before.gone, ...leaving.map(({ id }) => id).filter((id) => id !== address)],
              leaving: [...before.leaving, ...leaving],
            },
          };
        });
      } catch (error) {
        if (invitation && isTaken && error instanceof StoreError && error.kind === 'conflict')
          await giveUseBack(ground, invitation, taker);
        throw error;
      }
    },

    async reset(account, manifest, devices, { from, code }) {
      const { address } = account;
      const taker = takerOf(account, manifest);
      let isTaken = false;
      try {
        return await changeAccount(ground, address, async (before) => {
          if (await isRepeat(ground, before, account, manifest)) return { answer: 'exists' };
          if (before.state !== 'active') throw new StoreError('not-found', 'no such account');
          if (!isTaken) await takeUse(ground, code, taker);
          isTaken = true;
          checkReset(bytesOf(before.accountKey!), from, account.accountKey, manifest);
          await checkNew(ground, before, devices);
          const claims = [{ owner: address, keys: [account.accountKey] }, ...claimsOf(devices)];
          const leaving = allOf(before);
          const owners = new Set(leaving.map(({ id }) => id as KeyOwner));
          await claimKeys(ground, claims, { field: 'account', rev: before.rev + 1 }, owners);
          const gone = leaving.map(({ id }) => id).filter((id) => id !== address);
          const changes = {
            ...newAccount(account, manifest, devices),
            unfinishedSince: null,
            waiting: [],
            gone: [...before.gone, ...gone],
            leaving: [...before.leaving, ...leaving],
          };
          return { answer: 'reset', changes };
        });
      } catch (error) {
        if (isTaken && error instanceof StoreError && error.kind === 'conflict') await giveUseBack(ground, code, taker);
        throw error;
      }
    },

    async find(address) {
      const account = await readAccount(ground, address);
      if (account?.state !== 'active') return undefined;
      return { address, accountKey: bytesOf(account.accountKey!), createdAt: account.createdAt! };
    },

    async delete(address) {
      await changeAccount(ground, address, async (before) => {
        if (before.state !== 'active') return { answer: undefined };
        const leaving = [...before.leaving, ...allOf(before)];
        return { answer: undefined, changes: { state: 'deleted', devices: [], waiting: [], gone: [], leaving } };
      });
      await ground.engine.write(() =>
        ground.documents.accounts
          .updateOne({ _id: address, state: 'deleted' }, { $set: { appPasswords: [] }, $unset: { manifest: 1 } })
          .exec(),
      );
    },

    async page(after, limit) {
      const { engine, documents } = ground;
      const found = await engine.read(() =>
        documents.accounts
          .find({ _id: trusted({ $gt: after }), state: 'active' }, { accountKey: 1, createdAt: 1 })
          .sort({ _id: 1 })
          .limit(limit)
          .lean<AccountDocument[]>()
          .exec(),
      );
      return found.map(({ _id, accountKey, createdAt }) => ({
        address: _id as AccountAddress,
        accountKey: bytesOf(accountKey!),
        createdAt: createdAt!,
      }));
    },

    async areAny() {
      const { engine, documents } = ground;
      const any = await engine.read(() =>
        documents.accounts.exists({ state: trusted({ $in: ['active', 'deleted'] }) }).exec(),
      );
      return any !== null;
    },

    addInvitation: (hash, uses, expiresAt) => setInvitation(ground, hash, uses, expiresAt),

    findInvitation: (hash) => findInvitation(ground, hash),
  };
}

export function mongoManifests(ground: Ground): Manifests {
  const { engine, documents } = ground;
  return {
    async newest(address) {
      const account = await readAccount(ground, address);
      return account?.state === 'active' ? manifestOut(account.manifest!) : undefined;
    },

    async history(address, after, limit) {
      const account = await readAccount(ground, address);
      if (account?.state !== 'active' || limit < 1) return [];
      const newest = account.manifest!;
      const last = Math.min(after + limit, newest.version - 1);
      const ids = Array.from({ length: Math.max(last - after, 0) }, (_, i) => `${address} ${after + 1 + i}`);
      const older = await engine.read(() =>
        documents.manifests
          .find({ _id: trusted({ $in: ids }) })
          .lean<ManifestDocument[]>()
          .exec(),
      );
      older.sort((a, b) => a.version - b.version);
      const isNewestIn = newest.version > after && newest.version <= after + limit;
      return [...older, ...(isNewestIn ? [newest] : [])].map(manifestOut);
    },

    async publish(address, manifest, devices) {
      await changeAccount(ground, address, async (before) => {
        if (before.state !== 'active') throw new StoreError('not-found', 'no such account');
        const newest = before.manifest!;
        // Beyond the newest one there may be some of the account key before a reset.
        const isKnown = manifest.version <= newest.version;
        const same = isKnown && (await manifestOf(ground, before, manifest.version));
        if (same && isSameBytes(same.bytes, manifest.bytes)) return { answer: undefined };
        if (manifest.version !== newest.version + 1)
          throw new StoreError('conflict', `the next manifest has version ${newest.version + 1}`);
        const known = new Map(before.devices.map((device) => [device.id, deviceOut(device)]));
        const added = devices.filter(({ id }) => !known.has(id));
        await checkNew(ground, before, added);
        for (const device of devices) {
          const stays = known.get(device.id);
          if (stays && !isSameDevice(stays, device))
            throw new StoreError('conflict', `a device that stays keeps its keys: ${device.id}`);
        }
        const named = new Set<string>(devices.map(({ id }) => id));
        const left = before.devices.filter(({ id }) => !named.has(id));
        const leaving = new Set(left.map(({ id }) => id as DeviceId));
        await claimKeys(ground, claimsOf(added), { field: 'account', rev: before.rev + 1 }, leaving);
        // Before it is replaced, and again if that was done: the history never lacks one.
        const older = { _id: `${address} ${newest.version}` };
        await engine.write(() =>
          documents.manifests.updateOne(older, { $set: { address, ...newest } }, { upsert: true }).exec(),
        );
        return {
          answer: undefined,
          changes: {
            manifest: manifestFields(manifest),
            unfinishedSince: null,
            devices: [...before.devices.filter(({ id }) => named.has(id)), ...added.map(deviceFields)],
            waiting: withoutListed(before, added),
            gone: [...before.gone, ...leaving],
            leaving: [...before.leaving, ...left.map((device) => leavingOf(before, device))],
          },
        };
      });
    },
  };
}

async function isRepeat(
  ground: Ground,
  before: AccountDocument,
  { accountKey }: Account,
  { bytes }: StoredManifest,
): Promise<boolean> {
  if (before.state !== 'active' || !isSameBytes(before.accountKey!, accountKey)) return false;
  const first = await manifestOf(ground, before, 1);
  return first !== null && first !== undefined && isSameBytes(first.bytes, bytes);
}

/** Ids that nobody has or had; one that waits is named with the identities that it registered. */
async function checkNew(ground: Ground, account: AccountDocument, devices: readonly Device[]): Promise<void> {
  const taken = new Set([...account.gone, ...account.devices.map(({ id }) => id)]);
  for (const { id, identities } of devices) {
    // The id of a device says whose it is: another account's is taken, or will be.
    if (accountOf(id) !== account._id || taken.has(id))
      throw new StoreError('conflict', `the device id is taken: ${id}`);
    taken.add(id);
    if (!account.waiting.some((waits) => waits.id === id)) continue;
    const registered = (await waitingIdentities(ground, [id])).get(id) ?? [];
    // Without keys it never waited, or its registration is under way, and will find it listed.
    if (registered.length > 0 && !isSameIdentities(registered, identities))
      throw new StoreError('conflict', `a waiting device has other identity keys: ${id}`);
  }
}

function claimsOf(devices: readonly Device[]): KeyClaim[] {
  return devices.map((device) => ({ owner: device.id, keys: keysOfDevice(device) }));
}

function withoutListed({ waiting }: AccountDocument, listed: readonly Device[]): AccountDocument['waiting'] {
  const ids = new Set<string>(listed.map(({ id }) => id));
  return waiting.filter(({ id }) => !ids.has(id));
}

/** The newest one, or one of the history. */
async function manifestOf(
  { engine, documents }: Ground,
  account: AccountDocument,
  version: number,
): Promise<ManifestFields | null | undefined> {
  if (account.manifest?.version === version) return account.manifest;
  return engine.read(() => documents.manifests.findById(`${account._id} ${version}`).lean<ManifestDocument>().exec());
}

/** Whether nobody finished it in its time, which for one made in the future begins now. */
async function makesRoom(
  ground: Ground,
  account: AccountDocument,
  { now, afterMs }: UnfinishedTerms,
): Promise<boolean> {
  const { state, unfinishedSince: since } = account;
  if (state !== 'active' || typeof since !== 'number') return false;
  if (since > now) await replaceAccount(ground, account, { unfinishedSince: now });
  return now - since >= afterMs;
}

/**
 * All that a data folder holds, aggregate by aggregate: what moves to another store (`copying.ts`). One turn an aggregate: what is
 * read in it is one committed state.
 */

import { type AccountAddress, accountOf, type DeviceId, domainOf } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import { gapOf, mergeGaps } from '../gap.ts';
import {
  type Account,
  type AppPassword,
  type Attachment,
  type AuditEntry,
  type Device,
  type GapRecord,
  type NesUser,
  type OneTimePrekey,
  type PrekeyBundle,
  type StoredManifest,
  StoreError,
} from '../port.ts';
import { allAccountRecords, type NamedAccountRecord } from './account-records.ts';
import { appPasswordsOf } from './app-passwords.ts';
import type { Environment } from './environment.ts';
import { readExpiryTime } from './expiry-time.ts';
import type { RememberedId } from './ids/accepted-ids.ts';
import { allIds } from './ids/all-ids.ts';
import type { CommitLog } from './log/commit-log.ts';
import type { ReadMailboxes } from './mailboxes/read-mailboxes.ts';
import { allNesUsers } from './nes-users.ts';
import { takenOnce } from './once.ts';
import { allAuditEntries, allOperatorRecords, type NamedOperatorRecord } from './operator.ts';
import { oneTimeKeysOf } from './prekeys.ts';
import { readAccount, readDevice, readManifest, readUnfinished } from './records/account-records.ts';
import { attachmentsOf } from './records/attachment-records.ts';
import { keysUnder, SUITES } from './records/keys.ts';
import { readPrekeys } from './records/prekey-records.ts';
import { RecordReader } from './records/record.ts';
import { readWaiting, waitingIds } from './records/waiting-records.ts';

/** An account; or, of an address without one, the devices that wait, and those that are gone. */
export interface WalkedAccount {
  readonly address: AccountAddress;
  /** `deleted`: of which only the name stays. */
  readonly state: 'none' | 'active' | 'deleted';
  readonly account?: Account | undefined;
  /** ms; undefined: somebody has finished it. */
  readonly unfinishedSince?: number | undefined;
  /** Ascending, all of them. */
  readonly manifests: readonly StoredManifest[];
  readonly devices: readonly Device[];
  readonly waiting: readonly { readonly id: DeviceId; readonly since: number }[];
  /** Never given out again. */
  readonly gone: readonly DeviceId[];
  readonly prekeys: readonly WalkedPrekeys[];
  readonly appPasswords: readonly AppPassword[];
}

export interface WalkedPrekeys {
  readonly device: DeviceId;
  readonly suite: ServedSuite;
  /** Absent when it was deleted. */
  readonly bundle?: PrekeyBundle | undefined;
  /** Oldest first: the order in which they are handed out. */
  readonly held: readonly OneTimePrekey[];
  /** Handed out lately; `at`: when, ms. */
  readonly claimed: readonly (OneTimePrekey & { readonly at: number })[];
}

export interface WalkedMailbox {
  readonly device: DeviceId;
  /** The newest number that was given out. */
  readonly last: number;
  /** All up to this are acknowledged. */
  readonly acked: number;
  readonly session: number;
  readonly gap: GapRecord | undefined;
  /** Ascending; `from`: the sender's account. */
  readonly mails: readonly {
    readonly seq: number;
    readonly at: number;
    readonly from: string;
    readonly body: Uint8Array;
  }[];
}

export interface LmdbWalk {
  /** Of which anything is known, once each; the same order each time. */
  addresses(): AccountAddress[];
  /** Of the accounts that there are, or were. */
  domains(): string[];
  account(address: AccountAddress): WalkedAccount;
  /** Of a device of `account`. */
  mailbox(device: DeviceId): WalkedMailbox;
  ids(): Iterable<RememberedId>;
  invitations(): Iterable<{ readonly hash: Uint8Array; readonly uses: number; readonly expiresAt: number }>;
  /** Of each account, or what is left of one, that has any. */
  attachments(): Iterable<{ readonly address: AccountAddress; readonly held: readonly Attachment[] }>;
  accountRecords(): Iterable<NamedAccountRecord>;
  nesUsers(): Iterable<NesUser>;
  operatorRecords(): Iterable<NamedOperatorRecord>;
  auditEntries(): Iterable<AuditEntry>;
  once(): Iterable<{ readonly key: Uint8Array; readonly until: number }>;
  /** The time by which mail expires; undefined: never noted. */
  expiryTime(): number | undefined;
  close(): Promise<void>;
}

export function lmdbWalk(
  { databases, renew }: Environment,
  log: CommitLog,
  reading: ReadMailboxes,
): Omit<LmdbWalk, 'close'> {
  /** Of listed devices, waiting ones, and those that are gone. */
  function idsOf(address: AccountAddress): DeviceId[] {
    return keysUnder(databases.devices, Buffer.from(`${address};gr=`)).map((key) => key.toString() as DeviceId);
  }

  function prekeysOf(device: DeviceId): WalkedPrekeys[] {
    return SUITES.flatMap((suite) => {
      const record = readPrekeys(databases, device, suite);
      const { held, claimed } = oneTimeKeysOf(databases, device, suite);
      if (!record && claimed.length === 0) return [];
      const bundle = record && { identityKey: record.identityKey, signedPrekey: record.signedPrekey };
      return [{ device, suite, bundle, held, claimed }];
    });
  }

  function manifestsOf(address: AccountAddress, newest: number): StoredManifest[] {
    return Array.from({ length: newest }, (_, i) => {
      const manifest = readManifest(databases, address, i + 1);
      if (!manifest) throw new StoreError('corrupt', `manifest ${i + 1} of ${address} is missing`);
      return manifest;
    });
  }

  return {
    addresses() {
      renew();
      const addresses = new Set<AccountAddress>();
      for (const key of databases.accounts.getKeys({})) addresses.add(key.toString() as AccountAddress);
      for (const db of [databases.devices, databases.waiting])
        for (const key of db.getKeys({})) addresses.add(accountOf(key.toString() as DeviceId));
      return [...addresses];
    },

    domains() {
      renew();
      const domains = new Set<string>();
      for (const key of databases.accounts.getKeys({})) domains.add(domainOf(key.toString() as AccountAddress));
      return [...domains].sort();
    },

    account(address) {
      renew();
      const found = readAccount(databases, address);
      const ids = idsOf(address).map((id) => ({ id, device: readDevice(databases, id) }));
      if (found === 'gone')
        return {
          address,
          state: 'deleted',
          manifests: [],
          devices: [],
          waiting: [],
          gone: [],
          prekeys: [],
          appPasswords: [],
        };
      const waiting = waitingIds(databases, address).map((id) => readWaiting(databases, id)!);
      const devices = ids.flatMap(({ device }) => {
        if (!device || device === 'gone') return [];
        const { address: _, ...listed } = device;
        return [listed];
      });
      const prekeys = [...devices, ...waiting]
        .map(({ id }) => id)
        .sort()
        .flatMap(prekeysOf);
      // As `create` would see it: keys, or another manifest, finish an account as well as the record does.
      const isFinished = found?.newestVersion !== 1 || prekeys.some(({ bundle }) => bundle);
      return {
        address,
        state: found ? 'active' : 'none',
        account: found && { address, accountKey: found.accountKey, createdAt: found.createdAt },
        unfinishedSince: isFinished ? undefined : readUnfinished(databases, address),
        manifests: found ? manifestsOf(address, found.newestVersion) : [],
        devices,
        waiting: waiting.map(({ id, since }) => ({ id, since })),
        gone: ids.filter(({ device }) => device === 'gone').map(({ id }) => id),
        prekeys,
        appPasswords: appPasswordsOf(databases, address),
      };
    },

    mailbox(device): WalkedMailbox {
      const mailbox = reading.get(device);
      if (!mailbox) throw new StoreError('corrupt', `the mailbox of ${device} is missing`);
      const mails: WalkedMailbox['mails'][number][] = [];
      let { gap } = mailbox;
      for (const { seq, at, account, body } of mailbox.held()) {
        const whole = body();
        // As its device would be told.
        if (!whole) gap = mergeGaps(gap, gapOf(seq, 'damaged'));
        else mails.push({ seq, at, from: account(), body: whole });
      }
      return { device, last: mailbox.newest, acked: mailbox.acknowledged, session: mailbox.session, gap, mails };
    },

    ids() {
      renew();
      return allIds(databases.accepted, log);
    },

    *invitations() {
      renew();
      for (const { key, value } of databases.invitations.getRange({})) {
        const reader = new RecordReader(value);
        yield { hash: new Uint8Array(key), uses: reader.number(), expiresAt: reader.number() };
      }
    },

    *attachments() {
      renew();
      const addresses = new Set<AccountAddress>();
      for (const key of databases.attachments.getKeys({}))
        addresses.add(key.subarray(0, key.indexOf(0)).toString() as AccountAddress);
      for (const address of addresses) yield { address, held: attachmentsOf(databases, address) };
    },

    accountRecords() {
      renew();
      return allAccountRecords(databases);
    },

    nesUsers() {
      renew();
      return allNesUsers(databases);
    },

    operatorRecords() {
      renew();
      return allOperatorRecords(databases);
    },

    auditEntries() {
      renew();
      return allAuditEntries(databases);
    },

    once() {
      renew();
      return takenOnce(databases);
    },

    expiryTime() {
      renew();
      return readExpiryTime(databases);
    },
  };
}

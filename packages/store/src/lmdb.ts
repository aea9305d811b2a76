/**
 * The store of one machine: a folder with LMDB and a commit log, which one process owns. Calls that
 * wait together share one commit (`lmdb/writer.ts`); a resolved promise means that the commit's
 * fdatasync has returned. How a message lives in it: `lmdb/README.md`.
 */
import { existsSync } from 'node:fs';
import { systemRandom } from '@sealwire/crypto/random';
import { lmdbAccountRecords } from './lmdb/account-records.ts';
import { lmdbAccounts, lmdbManifests } from './lmdb/accounts.ts';
import { lmdbAppPasswords } from './lmdb/app-passwords.ts';
import { lmdbAttachments } from './lmdb/attachments.ts';
import { Checkpoints } from './lmdb/checkpoint.ts';
import { checkDataFile } from './lmdb/data-file.ts';
import { lmdbDevices } from './lmdb/devices.ts';
import { DiskSpace } from './lmdb/disk-space.ts';
import { type Environment, openOwnEnvironment, writeError } from './lmdb/environment.ts';
import { lmdbExpiryTime } from './lmdb/expiry-time.ts';
import { AcceptedIds } from './lmdb/ids/accepted-ids.ts';
import { type CommitLog, openLog } from './lmdb/log/commit-log.ts';
import { logWriter } from './lmdb/log/log-writer.ts';
import { repairLog } from './lmdb/log/repair.ts';
import { OpenMailboxes } from './lmdb/mailboxes/open-mailboxes.ts';
import { ReadMailboxes } from './lmdb/mailboxes/read-mailboxes.ts';
import { lmdbMailboxes } from './lmdb/mailboxes.ts';
import { refuseMoved } from './lmdb/moved-mark.ts';
import { lmdbNesUsers } from './lmdb/nes-users.ts';
import { lmdbOnce } from './lmdb/once.ts';
import { lmdbAuditTrail, lmdbOperatorRecords } from './lmdb/operator.ts';
import { lmdbPrekeys } from './lmdb/prekeys.ts';
import { upgrade } from './lmdb/upgrade/upgrade.ts';
import { lmdbWaiting } from './lmdb/waiting.ts';
import { type LmdbWalk, lmdbWalk } from './lmdb/walk.ts';
import { lmdbWriter } from './lmdb/writer.ts';
import { type DamagedPart, type OpenTerms, type Store, StoreError } from './port.ts';
import { reportingCorrupt } from './reports.ts';

/** Longer than what comes in until it is acknowledged, also when much comes. */
const LOG_BYTES = 16 << 20;

const PROBE_KEY = Buffer.from('probe');

export interface LmdbStoreOptions extends OpenTerms {
  /** The data folder; made (mode 0700) when it is missing. */
  readonly path: string;
  /** How long the commit log is: disk, memory, and what a start has to read. Once for a folder. */
  readonly logBytes?: number;
}

/**
 * Rejects with `StoreError` whose one line says what is wrong with the folder and what to do; `conflict` for one that has moved into a
 * database.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  return (await openFolder(options, refuseMoved)).store;
}

/**
 * All that the folder holds, also of one that has moved, of which this process is then the owner: rejects as `openLmdbStore`, with
 * `not-found` also when there is no store in it.
 */
export async function openLmdbWalk(path: string): Promise<LmdbWalk> {
  if (!existsSync(path) || checkDataFile(path) === 'new')
    throw new StoreError('not-found', `there is no store in ${path}; name the data folder`);
  // Whoever moves wants to know first what is lost.
  const { store, environment, log, reading } = await openFolder({ path, whenDamaged: 'stop' });
  return { ...lmdbWalk(environment, log, reading), close: () => store.close() };
}

interface OpenFolder {
  readonly store: Store;
  readonly environment: Environment;
  readonly log: CommitLog;
  readonly reading: ReadMailboxes;
}

/** `check` may throw what speaks against it, once the folder is this process's own. */
async function openFolder(options: LmdbStoreOptions, check: (path: string) => void = () => {}): Promise<OpenFolder> {
  const { path, reports } = options;
  const report = (part: DamagedPart) => reports?.damaged(part);
  const environment = await openOwnEnvironment(path);
  const { databases } = environment;
  let opened: { log: CommitLog; ids: AcceptedIds };
  try {
    check(path);
    upgrade(environment, path);
    opened = await openWhole(environment, options, report);
    environment.root.transactionSync(opened.log.putOpened);
  } catch (error) {
    await environment.close();
    throw await writeError(error);
  }
  if (environment.isNew) reports?.isNew();
  const { log, ids } = opened;
  const mailboxes = new OpenMailboxes(databases.mailboxes, log);
  const reading = new ReadMailboxes(environment, log);
  const space = new DiskSpace(path, reports);
  const writer = lmdbWriter(environment, space.failure);
  const checkpoints = new Checkpoints(writer, log, mailboxes, ids);
  const logged = logWriter(environment, writer, log, mailboxes, ids, checkpoints);
  let closing: Promise<void> | undefined;

  async function takeOverAndClose(): Promise<void> {
    await logged.close();
    // A folder that nobody has open is whole without its log. When the disk is full the log keeps
    // it.
    await checkpoints.takeOverAll().then(
      () => writer.run(log.putClosed),
      () => {},
    );
    await writer.close();
    await environment.close();
    log.close();
  }

  let probes = 0;

  const store: Store = {
    accounts: lmdbAccounts(environment, writer, mailboxes.forget),
    manifests: lmdbManifests(environment, writer, mailboxes.forget),
    devices: lmdbDevices(environment, writer, mailboxes.forget),
    prekeys: lmdbPrekeys(environment, writer),
    waiting: lmdbWaiting(environment, writer),
    mailboxes: lmdbMailboxes(environment, logged, log, mailboxes, reading, ids),
    appPasswords: lmdbAppPasswords(environment, writer),
    attachments: lmdbAttachments(environment, writer),
    accountRecords: lmdbAccountRecords(environment, writer),
    nesUsers: lmdbNesUsers(environment, writer),
    operatorRecords: lmdbOperatorRecords(environment, writer),
    auditTrail: lmdbAuditTrail(environment, writer),
    once: lmdbOnce(environment, writer),
    expiryTime: lmdbExpiryTime(environment, writer),

    async probe() {
      log.check();
      const written = Buffer.from(String(++probes));
      await writer.run(() => databases.probe.putSync(PROBE_KEY, written));
      await space.check();
      environment.renew();
      if (!databases.probe.getBinary(PROBE_KEY)) throw new StoreError('unavailable', 'the probe cannot be read back');
    },

    close() {
      closing ??= takeOverAndClose();
      return closing;
    },
  };
  return { store: reportingCorrupt(store, () => report('record')), environment, log, reading };
}

/**
 * The log with which the store goes on: if records of it are lost, a new one, behind what could be
 * read of it. Throws `corrupt` then, if the operator wants to know first.
 */
async function openWhole(
  environment: Environment,
  { path, logBytes = LOG_BYTES, whenDamaged }: LmdbStoreOptions,
  report: (part: DamagedPart) => void,
): Promise<{ log: CommitLog; ids: AcceptedIds }> {
  const log = openLog(environment, path, logBytes, report);
  try {
    // Seeds a hash table, which no result depends on: not a part of what the composition root
    // decides.
    const ids = new AcceptedIds(environment.databases.accepted, log, systemRandom(32));
    await ids.load();
    if (!log.isDamaged) return { log, ids };
    if (whenDamaged === 'stop')
      throw new StoreError(
        'corrupt',
        `the log in ${path} is damaged, and accepted messages are lost: restore the folder from a backup, or go on without them by npm start -- repair`,
      );
    repairLog(environment, log, ids);
    report('log');
  } catch (error) {
    log.close();
    throw error;
  }
  log.close();
  return openWhole(environment, { path, logBytes, whenDamaged: 'stop' }, report);
}

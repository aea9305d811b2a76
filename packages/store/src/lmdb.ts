/**
 * The store of one machine: an LMDB folder, which several processes may open at once. Calls of one process that wait together share one
 * commit (`lmdb/writer.ts`); a resolved promise means that the commit's fdatasync has returned.
 */
import { systemRandom } from '@sealwire/crypto/random';
import { lmdbAccounts, lmdbDevices, lmdbManifests } from './lmdb/accounts.ts';
import { lmdbAppPasswords } from './lmdb/app-passwords.ts';
import { openOwnEnvironment, writeError } from './lmdb/environment.ts';
import { AcceptedLog } from './lmdb/ids/accepted-ids.ts';
import { openJournal } from './lmdb/log/commit-log.ts';
import { Mailbag } from './lmdb/mailboxes/open-mailboxes.ts';
import { lmdbMailboxes } from './lmdb/mailboxes.ts';
import { lmdbOnce } from './lmdb/once.ts';
import { lmdbPrekeys } from './lmdb/prekeys.ts';
import { indexKeys } from './lmdb/upgrade/key-index.ts';
import { upgrade } from './lmdb/upgrade/upgrade.ts';
import { lmdbWaiting } from './lmdb/waiting.ts';
import { Writer } from './lmdb/writer.ts';
import { type Store, StoreError } from './port.ts';

/** Longer than what comes in until it is acknowledged, also when much comes. */
const JOURNAL_BYTES = 16 << 20;

const PROBE_KEY = Buffer.from('probe');

export interface LmdbStoreOptions {
  /** The data folder; made (mode 0700) when it is missing. */
  readonly path: string;
  /** How much of what came last is not yet settled in the mailboxes: disk, memory, and what a start has to read. Once for a folder. */
  readonly journalBytes?: number;
}

/** Rejects with `StoreError` whose one line says what is wrong with the folder and what to do. */
export async function openLmdbStore({ path, journalBytes = JOURNAL_BYTES }: LmdbStoreOptions): Promise<Store> {
  const environment = await openOwnEnvironment(path);
  const { databases } = environment;
  try {
    upgrade(environment, journalBytes);
    indexKeys(environment);
  } catch (error) {
    await environment.close();
    throw await writeError(error);
  }
  const writer = new Writer(environment);
  const journal = openJournal(environment, path, journalBytes);
  // Seeds a hash table, which no result depends on: not a part of what the composition root decides.
  const log = new AcceptedLog(databases.accepted, journal, systemRandom(32));
  await log.load(environment.renew);
  const mailbag = new Mailbag(databases.mailboxes, journal, log);
  writer.join(mailbag);
  let closing: Promise<void> | undefined;

  async function settleAndClose(): Promise<void> {
    // A folder that nobody has open is whole without its journal. When the disk is full the journal keeps it.
    const settled = writer.run(() => mailbag.settleAll()).catch(() => {});
    await Promise.all([settled, writer.close()]);
    await environment.close();
    journal.close();
  }

  let probes = 0;

  return {
    accounts: lmdbAccounts(environment, writer, mailbag),
    manifests: lmdbManifests(environment, writer, mailbag),
    devices: lmdbDevices(environment, writer, mailbag),
    prekeys: lmdbPrekeys(environment, writer),
    waiting: lmdbWaiting(environment, writer),
    mailboxes: lmdbMailboxes(environment, writer, journal, mailbag, log),
    appPasswords: lmdbAppPasswords(environment, writer),
    once: lmdbOnce(environment, writer),

    async probe() {
      const written = Buffer.from(String(++probes));
      await writer.run(() => databases.probe.putSync(PROBE_KEY, written));
      environment.renew();
      if (!databases.probe.getBinary(PROBE_KEY)) throw new StoreError('unavailable', 'the probe cannot be read back');
    },

    close() {
      closing ??= settleAndClose();
      return closing;
    },
  };
}

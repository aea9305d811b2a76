/**
 * The queue of commits that the log says: jobs that change mailboxes, all of whose changes are
 * parts of one record. They happen to the open mailboxes, then the record is written. When the ring
 * has no room it waits for a checkpoint to make some; for a record that is longer than half of the
 * ring the same jobs run again in a transaction of LMDB, which takes over what they did at once.
 */
import type { Checkpoints } from '../checkpoint.ts';
import type { Environment } from '../environment.ts';
import type { AcceptedIds } from '../ids/accepted-ids.ts';
import type { OpenMailboxes } from '../mailboxes/open-mailboxes.ts';
import { Writer } from '../writer.ts';
import type { CommitLog } from './commit-log.ts';

export function logWriter(
  { renew }: Environment,
  lmdb: Writer,
  log: CommitLog,
  mailboxes: OpenMailboxes,
  ids: AcceptedIds,
  checkpoints: Checkpoints,
): Writer {
  function end(isDurable: boolean): void {
    log.done(isDurable);
    if (!isDurable) mailboxes.clear();
  }

  async function writeToLmdb(perform: () => void): Promise<void> {
    const more = await lmdb.run(() => {
      perform();
      log.apply();
      for (const device of log.devices) mailboxes.get(device)?.checkpoint(log.lsn, log.lsn, log.epoch);
      log.putStart();
      return ids.takeFresh();
    });
    ids.count(more);
    for (const device of log.devices) mailboxes.settle(device);
  }

  async function commit(perform: () => void): Promise<void> {
    perform();
    if (!log.apply()) return;
    let isWritten = log.write();
    while (!isWritten && log.mayFit() && (await checkpoints.makeRoom())) isWritten = log.write();
    if (isWritten) return log.sync();
    end(false);
    await writeToLmdb(perform);
  }

  return new Writer(async (perform) => {
    log.check();
    renew();
    try {
      await commit(perform);
    } catch (error) {
      end(false);
      throw error;
    }
    end(true);
    mailboxes.trim();
    checkpoints.beginIfDue();
  });
}

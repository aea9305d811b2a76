/**
 * A log of which records are lost (docs/adr/0023-damage-is-told.md): what can be read of it is taken
 * over into the mailboxes, in one transaction, and a new ring begins in a new epoch. A mailbox that
 * may have lost something skips numbers that may have been given out, and its device is told:
 * mailboxes that the log speaks of here, all others when they are opened (`inEpoch`).
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Environment } from '../environment.ts';
import type { AcceptedIds } from '../ids/accepted-ids.ts';
import { SKIPPED_SEQS } from '../mailboxes/head.ts';
import { openMailbox } from '../mailboxes/mailbox.ts';
import { OpenMailbox } from '../mailboxes/open-mailbox.ts';
import type { CommitLog } from './commit-log.ts';

/** The log is of no use afterwards, and neither is `ids`: both are opened anew. */
export function repairLog({ root, databases }: Environment, log: CommitLog, ids: AcceptedIds): void {
  const lsn = log.lsn - 1;
  const highest = log.highestSeq + SKIPPED_SEQS;
  root.transactionSync(() => {
    for (const device of new Set<DeviceId>(log.records.flatMap(({ devices }) => devices))) {
      const mailbox = openMailbox(OpenMailbox, databases.mailboxes, log, device);
      mailbox?.resume(log.highestSeq, lsn);
      mailbox?.endDoubt();
      mailbox?.checkpoint(lsn, lsn, log.epoch + 1);
    }
    ids.takeOver(log.records);
    log.putNewRing(highest + SKIPPED_SEQS);
  });
}

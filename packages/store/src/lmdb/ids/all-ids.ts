/** Every message id that the store remembers, from its records and from the log, with what is known of the message. */
import type { Db } from '../environment.ts';
import type { CommitLog } from '../log/commit-log.ts';
import { digestAt, digestEnd, idAt, refusedBy, senderOf, takenEntriesOf, timeOf } from '../log/log-record.ts';
import { checkedPart } from '../records/record.ts';
import { idsOfRecord, type RememberedId } from './accepted-ids.ts';

/** Those of damaged records are forgotten, as by the store itself. */
export function* allIds(accepted: Db, log: CommitLog): Generator<RememberedId> {
  for (const { value } of accepted.getRange({})) {
    const record = checkedPart(value);
    if (record) yield* idsOfRecord(record);
  }
  for (const { parts } of log.records)
    for (const part of parts)
      for (const entry of takenEntriesOf(part))
        yield {
          sender: senderOf(part, entry),
          id: part.subarray(idAt(entry), idAt(entry) + 16),
          digest: part.subarray(digestAt(entry), digestEnd(part, entry)),
          refused: refusedBy(part, entry),
          at: timeOf(part, entry),
        };
}

/**
 * A backup of a database into an empty one (docs/adr/0065): every document in its place, but for what must not happen twice. No server
 * opens the database before the end, and the same call goes on where it was cut off.
 */
import { join } from 'node:path';
import { mergeGaps } from '../gap.ts';
import type { Restored } from '../lmdb/restored.ts';
import { BOX_LENGTH, mailId, seqOf } from '../mongo/bytes.ts';
import { CopyTarget } from '../mongo/copy-target.ts';
import type { MailboxDocument, PrekeyDocument } from '../mongo/documents.ts';
import { type EngineTerms, storeErrorOf } from '../mongo/engine.ts';
import { StoreError } from '../port.ts';
import { RESTORED_SEQS, restoredSession } from '../restoring.ts';
import { readDocuments } from './document-file.ts';
import { BACKED_UP, type BackedUp, pathOf } from './mongo-backup.ts';
import type { BackupNote } from './note.ts';

const BYTES_AT_ONCE = 8 << 20;
const DOCUMENTS_AT_ONCE = 500;

interface Identified {
  readonly _id: Buffer | string;
}

/** Of a backup without faults. Rejects with a `StoreError` that names the fix, also for a database that holds something else. */
export async function restoreMongo(
  terms: EngineTerms,
  folder: string,
  note: BackupNote,
  now: number,
): Promise<Restored> {
  const target = await CopyTarget.open(terms);
  // What a copy calls the last account: here which backup it is.
  const mark = `backup of ${note.begunAt}`;
  try {
    if (target.isResumed && target.after !== '' && target.after !== mark)
      throw new StoreError('conflict', 'something else was begun in this database: drop it, or name an empty one');
    await target.note(mark, 0);
    let oneTimeKeys = 0;
    for (const name of BACKED_UP) {
      const [some, bytes] = [[] as Identified[], { sum: 0 }];
      const flush = async () => {
        await target.replace(name, some.splice(0));
        bytes.sum = 0;
      };
      for await (const document of readDocuments(join(folder, pathOf(name)), note.files[pathOf(name)]!)) {
        if (name === 'prekeys') oneTimeKeys += (document as unknown as PrekeyDocument).oneTime.length;
        some.push(restored(name, document, now));
        bytes.sum += 'size' in document ? Number(document.size) : 0;
        if (some.length >= DOCUMENTS_AT_ONCE || bytes.sum >= BYTES_AT_ONCE) await flush();
      }
      await flush();
    }
    const accounts = await target.accounts();
    if (accounts !== note.counts.accounts)
      throw new StoreError(
        'corrupt',
        `the database holds ${accounts} accounts, the backup ${note.counts.accounts}: drop the database, and restore into an empty one`,
      );
    await target.finish();
    return { mailboxes: note.counts.mailboxes ?? 0, oneTimeKeys };
  } catch (error) {
    throw storeErrorOf(error);
  } finally {
    await target.close();
  }
}

function restored(name: BackedUp, document: Record<string, unknown>, now: number): Identified {
  if (name === 'mails') return { ...document, _id: raisedId(document._id as Buffer) };
  if (name === 'mailboxes') return raised(document as unknown as MailboxDocument, now);
  if (name === 'prekeys') return retired(document as unknown as PrekeyDocument, now);
  return document as unknown as Identified;
}

/**
 * Behind all numbers and sessions that came after the backup, with what waits in it: readers look through numbers, so there is no long row
 * of them without a message.
 */
function raised(mailbox: MailboxDocument, now: number): MailboxDocument {
  const { acked, gap } = mailbox;
  const up = (seq: number) => seq + RESTORED_SEQS;
  const last = up(mailbox.last) + 1;
  const before = gap ? { ...gap, fromSeq: up(gap.fromSeq), toSeq: up(gap.toSeq) } : undefined;
  const doubt = { count: 0, fromSeq: last, toSeq: last, reason: 'damaged' as const };
  const session = restoredSession(mailbox.session, now);
  return { ...mailbox, last, settled: last, acked: up(acked), gap: mergeGaps(before, doubt)!, session };
}

function raisedId(mail: Buffer): Buffer {
  return mailId(mail.subarray(0, BOX_LENGTH), seqOf(mail) + RESTORED_SEQS);
}

/** Those that it held may have been handed out since, and count as handed out now. */
function retired(prekeys: PrekeyDocument, now: number): PrekeyDocument {
  const claimed = prekeys.oneTime.map(({ id, digest }) => ({ id, digest, at: now }));
  return { ...prekeys, oneTime: [], claimed: [...prekeys.claimed, ...claimed] };
}

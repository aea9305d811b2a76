/**
 * What a mailbox loses before it was acknowledged. The loss counts from the change of the mailbox's document on: its gap and the numbers
 * that are being lost change together. Then the messages are deleted; whoever meets numbers that are still being lost does that first.
 */
import { gapOf, mergeGaps } from '../../gap.ts';
import type { GapRecord } from '../../port.ts';
import { mailId } from '../bytes.ts';
import type { MailboxDocument, MailDocument } from '../documents.ts';
import { duplicatesIn } from '../engine.ts';
import type { Ground } from '../ground.ts';
import type { Contents } from './contents.ts';

export interface Loss {
  readonly seq: number;
  readonly reason: 'expired' | 'trimmed';
}

/** A number of a mailbox; `at`: when, about: the tombstone stays for the life of a message. */
export interface Unused {
  readonly box: Buffer;
  readonly seq: number;
  readonly at: number;
}

/** What is there after `losses`. Undefined: the mailbox is not as in `contents` any more, and has lost nothing; look again. */
export async function lose(ground: Ground, contents: Contents, losses: readonly Loss[]): Promise<Contents | undefined> {
  if (losses.length === 0) return contents;
  const { engine, documents } = ground;
  const { mailbox } = contents;
  if (mailbox.losing.length > 0) await deleteLost(ground, mailbox);
  const seqs = losses.map(({ seq }) => seq).sort((a, b) => a - b);
  const settled = Math.max(mailbox.settled, seqs.at(-1)!);
  if (!(await settle(ground, contents, settled))) return undefined;
  const gap = losses.reduce<GapRecord | undefined>(
    (sum, { seq, reason }) => mergeGaps(sum, gapOf(seq, reason)),
    mailbox.gap ?? undefined,
  );
  const rev = mailbox.rev + 1;
  const { matchedCount } = await engine.write(() =>
    documents.mailboxes.updateOne(
      { _id: mailbox._id, rev: mailbox.rev, acked: { $lt: seqs[0]! } },
      { $set: { gap: gap ?? null, settled, losing: seqs, rev } },
    ),
  );
  if (matchedCount === 0) return undefined;
  const after: MailboxDocument = { ...mailbox, gap: gap ?? null, settled, losing: seqs, rev };
  await deleteLost(ground, after);
  const gone = new Set(seqs);
  return { ...contents, mailbox: after, held: contents.held.filter(({ seq }) => !gone.has(seq)) };
}

/**
 * Numbers up to `upTo` that nobody used are used up, so that nobody does any more: a tombstone lies where a message would. False: a message
 * came to lie there.
 */
function settle(ground: Ground, { mailbox, held, used }: Contents, upTo: number): Promise<boolean> {
  const at = held.at(-1)?.at ?? 0;
  const unused: Unused[] = [];
  for (let seq = Math.max(mailbox.acked, mailbox.settled) + 1; seq <= upTo; seq++)
    if (!used.has(seq)) unused.push({ box: mailbox._id, seq, at });
  return closeNumbers(ground, unused);
}

/** Sees to it that numbers can be used no more, in one round trip. False: some of them are in use, or were closed already. */
export async function closeNumbers({ engine, documents }: Ground, numbers: readonly Unused[]): Promise<boolean> {
  if (numbers.length === 0) return true;
  const tombstones = numbers.map(({ box, seq, at }) => ({ _id: mailId(box, seq), void: true as const, at }));
  try {
    await engine.write(() => documents.mails.insertMany(tombstones, { ordered: false }));
    return true;
  } catch (error) {
    if (!duplicatesIn(error)) throw error;
    return false;
  }
}

async function deleteLost({ engine, documents }: Ground, { _id, losing, rev }: MailboxDocument): Promise<void> {
  const ids = losing.map((seq) => mailId(_id, seq));
  await engine.write(() => documents.mails.deleteMany({ _id: { $in: ids } }));
  await engine.write(() => documents.mailboxes.updateOne({ _id, rev }, { $set: { losing: [] } }));
}

/** Of mails as they come from the database, those that are messages. */
export function isMessage(mail: MailDocument): mail is Exclude<MailDocument, { readonly void: true }> {
  return !('void' in mail);
}

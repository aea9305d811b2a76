/**
 * What a mailbox loses before it was acknowledged. The loss counts from the change of the mailbox's document on: its gap and the numbers
 * that are being lost change together. Then the messages are deleted; whoever meets numbers that are still being lost does that first.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { gapOf, mergeGaps } from '../../gap.ts';
import type { GapRecord } from '../../port.ts';
import { boxOf, mailId, seqOf } from '../bytes.ts';
import type { MailboxDocument, MailDocument } from '../documents.ts';
import { isDuplicate, pause } from '../engine.ts';
import type { Ground } from '../ground.ts';

/** A message without its body. */
export interface Held {
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly size: number;
}

/** A mailbox with all that is in it. */
export interface Contents {
  readonly mailbox: MailboxDocument;
  /** Ascending. */
  readonly held: readonly Held[];
  /** Numbers above what is settled that are in use, or can be used no more. */
  readonly used: ReadonlySet<number>;
}

/** Undefined: there is no such mailbox. */
export async function contentsOf(ground: Ground, device: DeviceId): Promise<Contents | undefined> {
  const { engine, documents } = ground;
  const box = boxOf(device);
  const mailbox = await engine.read(() => documents.mailboxes.findOne({ _id: box }));
  if (!mailbox || mailbox.gone) return undefined;
  const range = { $gt: mailId(box, mailbox.acked), $lte: mailId(box, mailbox.last) };
  const found = await engine.read(() =>
    documents.mails
      .find({ _id: range }, { projection: { body: 0, key: 0 } })
      .sort({ _id: 1 })
      .toArray(),
  );
  const losing = new Set(mailbox.losing);
  const held: Held[] = [];
  for (const mail of found) {
    const seq = seqOf(mail._id);
    if ('void' in mail || losing.has(seq)) continue;
    held.push({ seq, from: mail.from.toString('latin1'), at: mail.at, size: mail.size });
  }
  return { mailbox, held, used: new Set(found.map(({ _id }) => seqOf(_id))) };
}

/**
 * Loses what `choose` says of what is there (`known`: a moment ago), again where somebody changed the mailbox meanwhile; what is there
 * then.
 */
export async function lose(
  ground: Ground,
  device: DeviceId,
  reason: GapRecord['reason'],
  choose: (contents: Contents) => readonly number[],
  known?: Contents,
): Promise<{ readonly lost: number; readonly contents: Contents | undefined }> {
  const { engine, documents } = ground;
  for (let round = 0; ; round++) {
    const contents = round === 0 && known ? known : await contentsOf(ground, device);
    if (!contents) return { lost: 0, contents };
    const { mailbox } = contents;
    if (mailbox.losing.length > 0) {
      await deleteLost(ground, mailbox);
      continue;
    }
    const seqs = choose(contents);
    if (seqs.length === 0) return { lost: 0, contents };
    const settled = Math.max(mailbox.settled, seqs.at(-1)!);
    await settle(ground, contents, settled);
    const gap = seqs.reduce<GapRecord | undefined>(
      (sum, seq) => mergeGaps(sum, gapOf(seq, reason)),
      mailbox.gap ?? undefined,
    );
    const rev = mailbox.rev + 1;
    const { matchedCount } = await engine.write(() =>
      documents.mailboxes.updateOne(
        { _id: mailbox._id, rev: mailbox.rev, acked: { $lt: seqs[0]! } },
        { $set: { gap: gap ?? null, settled, losing: [...seqs], rev } },
      ),
    );
    if (matchedCount === 0) {
      await pause(round);
      continue;
    }
    const after: MailboxDocument = { ...mailbox, gap: gap ?? null, settled, losing: seqs, rev };
    await deleteLost(ground, after);
    const gone = new Set(seqs);
    return {
      lost: seqs.length,
      contents: { ...contents, mailbox: after, held: contents.held.filter(({ seq }) => !gone.has(seq)) },
    };
  }
}

/** Numbers up to `upTo` that nobody used are used up, so that nobody does any more: a tombstone lies where a message would. */
async function settle(ground: Ground, { mailbox, held, used }: Contents, upTo: number): Promise<void> {
  const at = held.at(-1)?.at ?? 0;
  for (let seq = Math.max(mailbox.acked, mailbox.settled) + 1; seq <= upTo; seq++)
    if (!used.has(seq)) await closeNumber(ground, mailbox._id, seq, at);
}

/** Whether the number can be used no more; false: a message has it. `at`: when, about; the tombstone stays for the life of a message. */
export async function closeNumber(
  { engine, documents }: Ground,
  box: Buffer,
  seq: number,
  at: number,
): Promise<boolean> {
  try {
    await engine.write(() => documents.mails.insertOne({ _id: mailId(box, seq), void: true, at }));
    return true;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
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

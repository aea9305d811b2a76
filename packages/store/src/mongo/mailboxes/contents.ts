/** What is in a mailbox, message by message and without bodies: asked for when it may be full, loses something, or is counted. */
import type { DeviceId } from '@sealwire/wire/ids';
import { LRUCache } from 'lru-cache';
import { boxOf, mailId, seqOf } from '../bytes.ts';
import type { MailboxDocument } from '../documents.ts';
import type { Ground } from '../ground.ts';

/** Full ones, of this process; about 1 MB each. */
const REMEMBERED = 32;
/** A mailbox in one answer, as far as the server’s limit on answers allows. */
const ANSWER = 20_000;

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
  const mailbox = await engine.read(() => documents.mailboxes.findOne({ _id: boxOf(device) }));
  return mailbox && !mailbox.gone ? readContents(ground, mailbox) : undefined;
}

/**
 * The contents of the mailboxes that were full lately. Of such a one only what is new is read: while `rev` is the same, nothing left
 * it but by acknowledgement.
 */
export class FullMailboxes {
  private readonly remembered = new LRUCache<string, Contents>({ max: REMEMBERED });

  constructor(private readonly ground: Ground) {}

  /** `mailbox`: as it is now. */
  async of(mailbox: MailboxDocument): Promise<Contents> {
    const known = this.remembered.get(mailbox.device);
    const isUsable = known && known.mailbox.rev === mailbox.rev && known.mailbox.last <= mailbox.last;
    const contents = await readContents(this.ground, mailbox, isUsable ? known : undefined);
    this.remember(contents);
    return contents;
  }

  remember(contents: Contents): void {
    this.remembered.set(contents.mailbox.device, contents);
  }

  forget(device: string): void {
    this.remembered.delete(device);
  }
}

async function readContents(
  { engine, documents }: Ground,
  mailbox: MailboxDocument,
  known?: Contents,
): Promise<Contents> {
  const { _id: box, acked, last } = mailbox;
  const after = Math.max(acked, known ? completeUpTo(known) : 0);
  const range = { $gt: mailId(box, after), $lte: mailId(box, last) };
  const found =
    after < last
      ? await engine.read(() =>
          documents.mails
            .find({ _id: range }, { projection: { body: 0, key: 0 } })
            .sort({ _id: 1 })
            .batchSize(ANSWER)
            .toArray(),
        )
      : [];
  const losing = new Set(mailbox.losing);
  const held = known ? known.held.filter(({ seq }) => seq > acked && seq <= after) : [];
  const used = new Set(held.map(({ seq }) => seq));
  for (const mail of found) {
    const seq = seqOf(mail._id);
    used.add(seq);
    if ('void' in mail || losing.has(seq)) continue;
    held.push({ seq, from: mail.from.toString('latin1'), at: mail.at, size: mail.size });
  }
  return { mailbox, held, used };
}

/** Up to here every number has its message, or is settled: nothing is to come. */
function completeUpTo({ mailbox, held }: Contents): number {
  let complete = Math.max(mailbox.acked, mailbox.settled);
  for (const { seq } of held) if (seq === complete + 1) complete = seq;
  return complete;
}

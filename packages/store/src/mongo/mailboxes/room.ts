/** Room in a mailbox that may be full: then it is looked at as it is, and what gives way is chosen as the port says. */
import type { MailboxLimits, Room } from '../../port.ts';
import type { Ground } from '../ground.ts';
import type { Head } from './heads.ts';
import { type Contents, contentsOf, type Held, lose } from './losses.ts';

const FAR_BYTES = 1 << 20;

/** Messages for one mailbox that come together. */
export interface Arriving {
  readonly messages: number;
  readonly bytes: number;
  readonly at: number;
  /** Instead of the limits'. */
  readonly room: Room | undefined;
}

/** Whether there surely is room, by what is remembered. */
export function surelyFits(head: Head, { messages, bytes, room }: Arriving, limits: MailboxLimits): boolean {
  const most = room ?? limits;
  return head.messages + messages <= most.messages && head.bytes + bytes <= most.bytes;
}

/** Makes room, or says that there is none. `head` then knows what is in the mailbox. */
export async function makeRoom(
  ground: Ground,
  head: Head,
  arriving: Arriving,
  { lifeMs, whenFull, ...general }: MailboxLimits,
): Promise<boolean> {
  const most = arriving.room ?? general;
  const couldFit = arriving.messages <= most.messages && arriving.bytes <= most.bytes;
  let contents = await contentsOf(ground, head.device);
  if (!fits(contents, arriving, most)) {
    const horizon = arriving.at - lifeMs;
    const expired = ({ held }: Contents) => held.filter(({ at }) => at < horizon).map(({ seq }) => seq);
    ({ contents } = await lose(ground, head.device, 'expired', expired, contents));
  }
  if (!fits(contents, arriving, most) && couldFit && whenFull === 'trim') {
    const oldest = ({ held }: Contents) => toTrim(held, arriving, most);
    ({ contents } = await lose(ground, head.device, 'trimmed', oldest, contents));
  }
  await remember(ground, head, contents);
  return couldFit && fits(contents, arriving, most);
}

function fits(contents: Contents | undefined, { messages, bytes }: Arriving, most: Room): boolean {
  const held = contents?.held ?? [];
  return held.length + messages <= most.messages && sizeOf(held) + bytes <= most.bytes;
}

function sizeOf(held: readonly Held[]): number {
  return held.reduce((sum, { size }) => sum + size, 0);
}

async function remember({ engine, documents }: Ground, head: Head, contents: Contents | undefined): Promise<void> {
  const held = contents?.held ?? [];
  head.messages = held.length;
  head.bytes = sizeOf(held);
  if (!contents) return;
  const { _id, sum, sumGone } = contents.mailbox;
  // Written down when what the document says is far from it: other nodes go by that.
  if (sum - sumGone > 2 * head.bytes + FAR_BYTES)
    await engine.write(() => documents.mailboxes.updateOne({ _id }, { $max: { sumGone: sum - head.bytes } }));
}

/** The oldest of the account with the largest share, again and again until the new ones fit; ascending. */
function toTrim(held: readonly Held[], { messages, bytes }: Arriving, most: Room): number[] {
  const shares = new Map<string, { readonly mails: Held[]; bytes: number }>();
  for (const mail of held) {
    const share = shares.get(mail.from) ?? { mails: [], bytes: 0 };
    share.mails.push(mail);
    share.bytes += mail.size;
    shares.set(mail.from, share);
  }
  for (const { mails } of shares.values()) mails.reverse();
  const trimmed: number[] = [];
  let left = { messages: held.length, bytes: sizeOf(held) };
  while (left.messages + messages > most.messages || left.bytes + bytes > most.bytes) {
    let chosen: { readonly mails: Held[]; bytes: number } | undefined;
    let largest = -1;
    for (const share of shares.values()) {
      const oldest = share.mails.at(-1)?.seq;
      if (oldest === undefined) continue;
      const size = Math.max(share.mails.length / most.messages, share.bytes / most.bytes);
      const chosenOldest = chosen?.mails.at(-1)?.seq ?? Number.POSITIVE_INFINITY;
      if (size > largest || (size === largest && oldest < chosenOldest)) [chosen, largest] = [share, size];
    }
    if (!chosen) break;
    const { seq, size } = chosen.mails.pop()!;
    chosen.bytes -= size;
    left = { messages: left.messages - 1, bytes: left.bytes - size };
    trimmed.push(seq);
  }
  return trimmed.sort((a, b) => a - b);
}

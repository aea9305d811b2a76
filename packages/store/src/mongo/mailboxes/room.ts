/** Room in a mailbox that may be full: then it is looked at as it is, and what gives way is chosen as the port says. */
import type { MailboxLimits, Room } from '../../port.ts';
import type { Contents, Held } from './contents.ts';
import type { Head } from './heads.ts';
import type { Part } from './incoming.ts';
import type { Loss } from './losses.ts';

/** Not in the mailbox yet: it comes with the same batch. */
const COMING = Number.POSITIVE_INFINITY;

/** What one account has in a mailbox: `mails`, oldest first, from `next` on. */
interface Share {
  mails: Held[];
  next: number;
  bytes: number;
}

/** Whether there surely is room, by what is remembered. */
export function surelyFits(
  head: Head,
  { messages, bytes, room }: Pick<Part, 'messages' | 'bytes' | 'room'>,
  limits: MailboxLimits,
): boolean {
  const most = room ?? limits;
  return head.messages + messages <= most.messages && head.bytes + bytes <= most.bytes;
}

/** A mailbox as it is, and what a batch does to it, message by message. */
export class Filling {
  readonly losses: Loss[] = [];
  /** Messages and bytes that are there, without those that come. */
  messages = 0;
  bytes = 0;
  private coming = { messages: 0, bytes: 0 };
  private readonly shares = new Map<string, Share>();
  private oldest = Number.POSITIVE_INFINITY;

  constructor(readonly contents: Contents) {
    for (const mail of contents.held) {
      this.shareOf(mail.from).mails.push(mail);
      this.shareOf(mail.from).bytes += mail.size;
      this.messages++;
      this.bytes += mail.size;
      this.oldest = Math.min(this.oldest, mail.at);
    }
  }

  /** Makes room for `part`, noting the losses. `later`: what comes before it would have to be there already. */
  makeRoom(part: Part, { lifeMs, whenFull, ...general }: MailboxLimits): 'room' | 'none' | 'later' {
    const most = part.room ?? general;
    if (this.fits(part, most)) return 'room';
    this.expire(part.at - lifeMs);
    if (this.fits(part, most)) return 'room';
    if (whenFull === 'refuse' || part.messages > most.messages || part.bytes > most.bytes) return 'none';
    while (!this.fits(part, most)) {
      const share = this.largest(most);
      const mail = share?.mails[share.next];
      if (!share || !mail) return 'none';
      if (mail.seq === COMING) return 'later';
      share.next++;
      this.drop(share, mail, 'trimmed');
    }
    return 'room';
  }

  /** After `makeRoom` found it: `part` comes, of the account `from`. */
  take(part: Part, from: string): void {
    const share = this.shareOf(from);
    for (const { length: size } of part.bodies) share.mails.push({ seq: COMING, from, at: part.at, size });
    share.bytes += part.bytes;
    this.coming.messages += part.messages;
    this.coming.bytes += part.bytes;
  }

  private fits({ messages, bytes }: Part, most: Room): boolean {
    return (
      this.messages + this.coming.messages + messages <= most.messages &&
      this.bytes + this.coming.bytes + bytes <= most.bytes
    );
  }

  private expire(horizon: number): void {
    if (this.oldest >= horizon) return;
    this.oldest = Number.POSITIVE_INFINITY;
    for (const share of this.shares.values()) {
      const left: Held[] = [];
      for (const mail of share.mails.slice(share.next))
        if (mail.seq !== COMING && mail.at < horizon) this.drop(share, mail, 'expired');
        else {
          left.push(mail);
          this.oldest = Math.min(this.oldest, mail.at);
        }
      share.mails = left;
      share.next = 0;
    }
  }

  private drop(share: Share, { seq, size }: Held, reason: Loss['reason']): void {
    share.bytes -= size;
    this.messages--;
    this.bytes -= size;
    this.losses.push({ seq, reason });
  }

  /** Of equal ones that whose oldest message is the oldest. */
  private largest(most: Room): Share | undefined {
    let chosen: Share | undefined;
    let largest = -1;
    for (const share of this.shares.values()) {
      const oldest = share.mails[share.next]?.seq;
      if (oldest === undefined) continue;
      const size = Math.max((share.mails.length - share.next) / most.messages, share.bytes / most.bytes);
      const isOlder = oldest < (chosen?.mails[chosen.next]?.seq ?? COMING);
      if (size > largest || (size === largest && isOlder)) [chosen, largest] = [share, size];
    }
    return chosen;
  }

  private shareOf(from: string): Share {
    let share = this.shares.get(from);
    if (!share) {
      share = { mails: [], next: 0, bytes: 0 };
      this.shares.set(from, share);
    }
    return share;
  }
}

/**
 * Whose messages fill a full mailbox: counted by the sender's account when it is first found full,
 * kept from there on, so that no message of a flood costs a look at all others, nor at all accounts
 * (docs/adr/0020-one-aggregate-is-atomic.md). It takes memory for the accounts, not for the
 * messages, but for the few of small accounts: mailboxes of phones that are lost stay full for
 * weeks.
 */
import type { MailboxLimits } from '../../port.ts';
import type { LostMail } from '../log/log-record.ts';
import { Heap } from './heap.ts';
import type { HeldMail } from './mailbox.ts';

/** An account with more messages is not listed: its oldest one is found by looking, and not far away. */
const MOST_LISTED = 64;
/** So few, and it is listed again. Less than half of that, so that one message more or less does not matter. */
const LISTED_AGAIN = 16;

interface Share {
  readonly account: string;
  messages: number;
  bytes: number;
  /** The larger of its shares of the two limits. */
  part: number;
  /** Its messages, ascending; undefined: they are too many. */
  mails: LostMail[] | undefined;
  /** Its oldest message has this number, or, when they are not listed, no lower one. */
  oldest: number;
  /** Its place in the heap. */
  place: number;
}

type Parts = Pick<MailboxLimits, 'messages' | 'bytes'>;

export class Shares {
  readonly #mailsAfter: (seq: number) => Iterable<HeldMail>;
  readonly #shares = new Map<string, Share>();
  /** The largest share first; of equal ones, the one whose oldest message is the oldest. */
  readonly #largest = new Heap<Share>((a, b) => (a.part === b.part ? a.oldest < b.oldest : a.part > b.part));
  #limits: Parts;

  /** Of all messages of a mailbox, which `mailsAfter` hands out. */
  constructor(mailsAfter: (seq: number) => Iterable<HeldMail>, limits: Parts) {
    this.#mailsAfter = mailsAfter;
    this.#limits = limits;
    for (const { account, seq, size } of mailsAfter(0)) this.add(account(), { seq, size });
  }

  /** Its number is higher than those that are here. */
  add(account: string, mail: LostMail): void {
    let share = this.#shares.get(account);
    if (!share) {
      share = { account, messages: 0, bytes: 0, part: 0, mails: [], oldest: mail.seq, place: -1 };
      this.#shares.set(account, share);
    }
    share.messages++;
    share.bytes += mail.size;
    share.mails?.push(mail);
    if (share.messages > MOST_LISTED) share.mails = undefined;
    this.#settle(share);
  }

  /** The oldest message of the account goes. */
  remove(account: string, { seq, size }: LostMail): void {
    const share = this.#shares.get(account);
    if (!share) return;
    share.messages--;
    share.bytes -= size;
    share.mails?.shift();
    share.oldest = share.mails?.[0]?.seq ?? seq + 1;
    if (share.messages > 0) this.#settle(share);
    else {
      this.#shares.delete(account);
      this.#largest.remove(share);
    }
  }

  /**
   * The oldest message of the account with the largest share of either limit, which counts no more;
   * of equal shares, the oldest message of all of them.
   */
  takeOldest(limits: Parts): LostMail | undefined {
    this.#judgeBy(limits);
    for (let share = this.#largest.first; share; share = this.#largest.first) {
      const mail = this.#oldestOf(share);
      // Counted, and not there: nothing that could be taken.
      if (!mail) return undefined;
      if (mail.seq > share.oldest) {
        share.oldest = mail.seq;
        this.#largest.settle(share);
        if (this.#largest.first !== share) continue;
      }
      this.remove(share.account, mail);
      return mail;
    }
    return undefined;
  }

  #oldestOf(share: Share): LostMail | undefined {
    if (share.mails) return share.mails[0];
    const found: LostMail[] = [];
    const wanted = share.messages <= LISTED_AGAIN ? share.messages : 1;
    for (const { seq, size, account } of this.#mailsAfter(share.oldest - 1)) {
      if (account() !== share.account) continue;
      found.push({ seq, size });
      if (found.length === wanted) break;
    }
    if (found.length === share.messages) share.mails = [...found];
    return found[0];
  }

  #settle(share: Share): void {
    share.part = partOf(share, this.#limits);
    this.#largest.settle(share);
  }

  #judgeBy(limits: Parts): void {
    if (limits.messages === this.#limits.messages && limits.bytes === this.#limits.bytes) return;
    this.#limits = limits;
    for (const share of this.#shares.values()) this.#settle(share);
  }
}

function partOf(share: Share, { messages, bytes }: Parts): number {
  return Math.max(share.messages / messages, share.bytes / bytes);
}

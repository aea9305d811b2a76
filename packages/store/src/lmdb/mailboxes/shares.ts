/**
 * Whose messages fill a full mailbox: counted by the sender's account when it is first found full,
 * kept from there on, so that no message of a flood costs a look at all others
 * (docs/adr/0020-one-aggregate-is-atomic.md). It takes memory for the accounts, not for the
 * messages: mailboxes of phones that are lost stay full for weeks.
 */
import type { MailboxLimits } from '../../port.ts';
import type { LostMail } from '../log/log-record.ts';
import type { HeldMail } from './mailbox.ts';

interface Share {
  messages: number;
  bytes: number;
  /** The larger of its shares of the two limits, when it was last asked for. */
  part: number;
  /** It has no message up to this number. */
  none: number;
}

export class Shares {
  readonly #mailsAfter: (seq: number) => Iterable<HeldMail>;
  readonly #shares = new Map<string, Share>();

  /** Of all messages of a mailbox, which `mailsAfter` hands out. */
  constructor(mailsAfter: (seq: number) => Iterable<HeldMail>) {
    this.#mailsAfter = mailsAfter;
    for (const { account, size } of mailsAfter(0)) this.add(account(), size);
  }

  add(account: string, size: number): void {
    let share = this.#shares.get(account);
    if (!share) {
      share = { messages: 0, bytes: 0, part: 0, none: 0 };
      this.#shares.set(account, share);
    }
    share.messages++;
    share.bytes += size;
  }

  remove(account: string, size: number): void {
    const share = this.#shares.get(account);
    if (!share) return;
    share.messages--;
    share.bytes -= size;
    if (share.messages === 0) this.#shares.delete(account);
  }

  /**
   * The oldest message of the account with the largest share of either limit, which counts no more;
   * of equal shares, the oldest message of all of them.
   */
  takeOldest(limits: MailboxLimits): LostMail | undefined {
    const largest = this.#largest(limits);
    const after = largest.reduce((least, { none }) => Math.min(least, none), Number.POSITIVE_INFINITY);
    if (largest.length === 0) return undefined;
    for (const { seq, size, account } of this.#mailsAfter(after)) {
      const name = account();
      if (this.#shares.get(name)?.part !== largest[0]?.part) continue;
      for (const share of largest) share.none = Math.max(share.none, seq - 1);
      this.remove(name, size);
      return { seq, size };
    }
    return undefined;
  }

  #largest({ messages, bytes }: MailboxLimits): Share[] {
    let largest: Share[] = [];
    for (const share of this.#shares.values()) {
      share.part = Math.max(share.messages / messages, share.bytes / bytes);
      const part = largest[0]?.part ?? 0;
      if (share.part > part) largest = [share];
      else if (share.part === part) largest.push(share);
    }
    return largest;
  }
}

/**
 * Whose messages fill a full mailbox: counted by the sender's account when it is first found full, kept from there on,
 * so that no message of a flood costs a look at all others (docs/adr/0020-one-aggregate-is-atomic.md).
 */
import type { MailboxLimits } from '../../port.ts';
import type { LostMail } from '../log/log-record.ts';
import type { HeldMail } from './mailbox.ts';

/** Messages of an account that one look finds. */
const FOUND_AT_ONCE = 32;

interface Share {
  messages: number;
  bytes: number;
  /** Its oldest messages, ascending; acknowledged ones may be among them. */
  readonly oldest: LostMail[];
  /** Up to this number all are found. */
  foundUpTo: number;
}

export class Shares {
  readonly #mailsAfter: (seq: number) => Iterable<HeldMail>;
  readonly #floor: number;
  readonly #shares = new Map<string, Share>();

  /** Of the messages behind `floor`. */
  constructor(floor: number, mailsAfter: (seq: number) => Iterable<HeldMail>) {
    this.#floor = floor;
    this.#mailsAfter = mailsAfter;
    for (const { account, size } of mailsAfter(floor)) this.add(account(), size);
  }

  add(account: string, size: number): void {
    let share = this.#shares.get(account);
    if (!share) {
      share = { messages: 0, bytes: 0, oldest: [], foundUpTo: this.#floor };
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
   * The oldest message of the account with the largest share of either limit, which counts no more; of equal shares,
   * the oldest message of all. `floor`: all up to this are acknowledged.
   */
  takeOldest(floor: number, limits: MailboxLimits): LostMail | undefined {
    let chosen: { account: string; share: Share; part: number } | undefined;
    for (const [account, share] of this.#shares) {
      const part = Math.max(share.messages / limits.messages, share.bytes / limits.bytes);
      if (chosen && part < chosen.part) continue;
      if (chosen && part === chosen.part && !this.#isOlder(account, share, chosen, floor)) continue;
      chosen = { account, share, part };
    }
    const mail = chosen && this.#oldest(chosen.account, chosen.share, floor);
    if (!chosen || !mail) return undefined;
    chosen.share.oldest.shift();
    this.remove(chosen.account, mail.size);
    return mail;
  }

  #isOlder(account: string, share: Share, other: { account: string; share: Share }, floor: number): boolean {
    const [mine, theirs] = [this.#oldest(account, share, floor), this.#oldest(other.account, other.share, floor)];
    return mine !== undefined && theirs !== undefined && mine.seq < theirs.seq;
  }

  #oldest(account: string, share: Share, floor: number): LostMail | undefined {
    const { oldest } = share;
    while (oldest[0] && oldest[0].seq <= floor) oldest.shift();
    if (oldest.length > 0) return oldest[0];
    for (const mail of this.#mailsAfter(Math.max(share.foundUpTo, floor))) {
      share.foundUpTo = mail.seq;
      if (mail.account() === account && oldest.push({ seq: mail.seq, size: mail.size }) === FOUND_AT_ONCE) break;
    }
    return oldest[0];
  }
}

/**
 * What everybody together may write to one account, and the little of it that each account has in any case: whoever uses up what a
 * recipient may get takes nothing from those who write now and then (docs/adr/0022-limits-count-accounts.md; case J01).
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { RelaySettings } from '../settings.ts';
import { RateLimit } from './rate-limits.ts';

export type InboundSettings = Pick<RelaySettings, 'messagesPerRecipient' | 'bytesPerRecipient' | 'alwaysPerPair'>;

/** What a message brings to one account. */
export interface Incoming {
  readonly account: AccountAddress;
  /** Names the account it comes from, and this one. */
  readonly pair: string;
  readonly bytes: number;
}

export interface Admission {
  /** 0: it may come now. */
  readonly waitMs: number;
  /** What all have together is used up; this passes, or waits, by what the pair always has. */
  readonly limiter: 'relay-messages-per-recipient' | 'relay-bytes-per-recipient' | undefined;
}

/** Nothing is used up. */
export const IN_COMMON: Admission = { waitMs: 0, limiter: undefined };

export class InboundLimits {
  private readonly messages: RateLimit | undefined;
  private readonly bytes: RateLimit | undefined;
  private readonly alwaysMessages: RateLimit;
  private readonly alwaysBytes: RateLimit;

  constructor({ messagesPerRecipient, bytesPerRecipient, alwaysPerPair }: InboundSettings, now: () => number) {
    if (messagesPerRecipient) this.messages = new RateLimit(messagesPerRecipient, now);
    if (bytesPerRecipient) this.bytes = new RateLimit(bytesPerRecipient, now);
    this.alwaysMessages = new RateLimit(alwaysPerPair.messages, now);
    this.alwaysBytes = new RateLimit(alwaysPerPair.bytes, now);
  }

  /** Takes nothing. */
  ask({ account, pair, bytes }: Incoming): Admission {
    const forMessages = this.messages?.waitMs(account, 1) ?? 0;
    const forBytes = this.bytes?.waitMs(account, bytes) ?? 0;
    const common = Math.max(forMessages, forBytes);
    if (common === 0) return IN_COMMON;
    const limiter = forMessages >= forBytes ? 'relay-messages-per-recipient' : 'relay-bytes-per-recipient';
    const own = Math.max(this.alwaysMessages.waitMs(pair, 1), this.alwaysBytes.waitMs(pair, bytes));
    return { waitMs: Math.min(common, own), limiter };
  }

  /** What was asked for, and may come now. */
  take({ account, pair, bytes }: Incoming, { limiter }: Admission): void {
    if (limiter === undefined) {
      this.messages?.take(account, 1);
      this.bytes?.take(account, bytes);
    } else {
      this.alwaysMessages.take(pair, 1);
      this.alwaysBytes.take(pair, bytes);
    }
  }
}

/**
 * What everybody together may write to one account, and the little of it that each account has in any case: whoever uses up what a
 * recipient may get takes nothing from those who write now and then (docs/adr/0022-limits-count-accounts.md; case J01).
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { RelaySettings } from '../settings.ts';
import { RateLimit } from './rate-limits.ts';

export type InboundSettings = Pick<RelaySettings, 'messagesPerRecipient' | 'bytesPerRecipient' | 'alwaysPerPair'>;

export interface InboundWait {
  readonly ms: number;
  readonly limiter: 'relay-messages-per-recipient' | 'relay-bytes-per-recipient';
}

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

  /** Until a message of `bytes` may come to `account` from the other side of `pair`. Takes nothing. */
  wait(account: AccountAddress, pair: string, bytes: number): InboundWait {
    const common = this.commonWait(account, bytes);
    if (common.ms === 0) return common;
    const own = Math.max(this.alwaysMessages.waitMs(pair, 1), this.alwaysBytes.waitMs(pair, bytes));
    return own < common.ms ? { ...common, ms: own } : common;
  }

  /** After a `wait` of 0. */
  take(account: AccountAddress, pair: string, bytes: number): void {
    if (this.commonWait(account, bytes).ms === 0) {
      this.messages?.take(account, 1);
      this.bytes?.take(account, bytes);
    } else {
      this.alwaysMessages.take(pair, 1);
      this.alwaysBytes.take(pair, bytes);
    }
  }

  private commonWait(account: AccountAddress, bytes: number): InboundWait {
    const forMessages = this.messages?.waitMs(account, 1) ?? 0;
    const forBytes = this.bytes?.waitMs(account, bytes) ?? 0;
    return forMessages >= forBytes
      ? { ms: forMessages, limiter: 'relay-messages-per-recipient' }
      : { ms: forBytes, limiter: 'relay-bytes-per-recipient' };
  }
}

/**
 * How much one device may send to one account, and everybody together into one mailbox (delivery, starting limits). All or nothing over
 * the recipients of a message. One's own account is not counted: every message is mirrored to one's own devices.
 */
import type { Metrics } from '@sealwire/service/metrics';
import type { Part } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { RelaySettings } from '../settings.ts';
import { RateLimit } from './rate-limits.ts';

interface Parts {
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
}

/** What a message costs a mailbox, and the memory of ids, beside its bytes: a flood of empty messages must end, too (case J01). */
const OVERHEAD_BYTES = 256;

export class SendLimits {
  private readonly pairs: RateLimit | undefined;
  private readonly ephemera: RateLimit | undefined;
  private readonly bytes: RateLimit | undefined;
  private readonly mismatches: RateLimit;

  constructor(
    settings: Pick<RelaySettings, 'messagesPerPair' | 'bytesPerRecipient' | 'mismatchesPerSender'>,
    now: () => number,
    private readonly metrics: Pick<Metrics, 'rateLimitRejections'>,
  ) {
    const { messagesPerPair, bytesPerRecipient, mismatchesPerSender } = settings;
    this.mismatches = new RateLimit(mismatchesPerSender, now);
    if (messagesPerPair) {
      this.pairs = new RateLimit(messagesPerPair, now);
      this.ephemera = new RateLimit(messagesPerPair, now);
    }
    if (bytesPerRecipient) this.bytes = new RateLimit(bytesPerRecipient, now);
  }

  /** Milliseconds until this message may be sent; 0: now, and it is counted. */
  waitForSend(sender: DeviceId, message: Parts): number {
    const keys = this.pairs ? pairKeys(sender, message.parts) : [];
    const pairWait = this.waitForPairs(this.pairs, keys, 'relay-messages-per-pair');
    if (pairWait > 0) return pairWait;
    const bytesWait = this.waitForBytes(message);
    if (bytesWait > 0) return bytesWait;
    for (const key of keys) this.pairs?.take(key, 1);
    for (const part of message.parts) this.bytes?.take(part.device, costOf(message.body, part));
    return 0;
  }

  waitForEphemeral(sender: DeviceId, message: Parts): number {
    if (!this.ephemera) return 0;
    const keys = pairKeys(sender, message.parts);
    const wait = this.waitForPairs(this.ephemera, keys, 'relay-ephemera-per-pair');
    if (wait === 0) for (const key of keys) this.ephemera.take(key, 1);
    return wait;
  }

  /** Milliseconds until the account of `sender` may be told of devices again; 0: it may now, and that is counted (cases D17, S76). */
  waitForMismatch(sender: DeviceId): number {
    const account = accountOf(sender);
    const wait = this.mismatches.waitMs(account, 1);
    if (wait > 0) this.metrics.rateLimitRejections.inc({ limiter: 'relay-mismatches-per-sender' });
    else this.mismatches.take(account, 1);
    return wait;
  }

  private waitForPairs(limit: RateLimit | undefined, keys: readonly string[], limiter: string): number {
    let wait = 0;
    for (const key of keys) wait = Math.max(wait, limit?.waitMs(key, 1) ?? 0);
    if (wait > 0) this.metrics.rateLimitRejections.inc({ limiter });
    return wait;
  }

  private waitForBytes({ body, parts }: Parts): number {
    if (!this.bytes) return 0;
    let wait = 0;
    for (const part of parts) wait = Math.max(wait, this.bytes.waitMs(part.device, costOf(body, part)));
    if (wait > 0) this.metrics.rateLimitRejections.inc({ limiter: 'relay-bytes-per-recipient' });
    return wait;
  }
}

function costOf(body: Uint8Array, { content }: Part): number {
  return OVERHEAD_BYTES + body.length + content.length;
}

function pairKeys(sender: DeviceId, parts: readonly Part[]): string[] {
  const own = accountOf(sender);
  const accounts = new Set<AccountAddress>();
  for (const { device } of parts) {
    const account = accountOf(device);
    if (account !== own) accounts.add(account);
  }
  return [...accounts].map((account) => `${sender} ${account}`);
}

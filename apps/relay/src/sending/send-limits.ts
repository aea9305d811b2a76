/**
 * How much one account may send to another, write altogether, and get from everybody (docs/adr/0022-limits-count-accounts.md; case J01).
 * All or nothing over the recipients of a message. Whichever device sends: another one has no budget of its own. What goes to one's own
 * devices, as every message does, counts among what one writes and nowhere else.
 */
import type { Metrics } from '@sealwire/service/metrics';
import type { Part } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { RelaySettings } from '../settings.ts';
import { IN_COMMON, InboundLimits, type InboundSettings, type Incoming } from './inbound-limits.ts';
import { RateLimit } from './rate-limits.ts';

interface Parts {
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
}

/**
 * What a message costs its sender in each mailbox, beside its bytes: a flood of empty messages must end, too. So much that nobody can
 * write to a hundred thousand accounts, whose buckets would push out one's own, before that one is full again by itself.
 */
const OVERHEAD_BYTES = 1_024;

export class SendLimits {
  private readonly pairs: RateLimit | undefined;
  private readonly ephemera: RateLimit | undefined;
  private readonly ephemeraOfSender: RateLimit;
  private readonly bytesOfSender: RateLimit | undefined;
  private readonly mismatches: RateLimit;
  private readonly inbound: InboundLimits | undefined;

  constructor(
    settings: InboundSettings &
      Pick<RelaySettings, 'messagesPerPair' | 'bytesPerSender' | 'ephemeraPerSender' | 'mismatchesPerSender'>,
    now: () => number,
    private readonly metrics: Pick<Metrics, 'rateLimitRejections'>,
  ) {
    const { messagesPerPair, bytesPerSender, ephemeraPerSender, mismatchesPerSender } = settings;
    this.mismatches = new RateLimit(mismatchesPerSender, now);
    this.ephemeraOfSender = new RateLimit(ephemeraPerSender, now);
    if (messagesPerPair) {
      this.pairs = new RateLimit(messagesPerPair, now);
      this.ephemera = new RateLimit(messagesPerPair, now);
    }
    if (bytesPerSender) this.bytesOfSender = new RateLimit(bytesPerSender, now);
    if (settings.messagesPerRecipient || settings.bytesPerRecipient) this.inbound = new InboundLimits(settings, now);
  }

  /**
   * Milliseconds until this message may be sent; 0: now, and it is counted. `notTo`: accounts that do not get it, and of whose share of
   * what they may get it takes nothing.
   */
  waitForSend(sender: DeviceId, message: Parts, notTo: (account: AccountAddress) => boolean = () => false): number {
    const { pairs, bytesOfSender, inbound } = this;
    if (!pairs && !bytesOfSender && !inbound) return 0;
    const own = accountOf(sender);
    const written = writtenBytes(message);
    const senderWait = bytesOfSender?.waitMs(own, written) ?? 0;
    if (senderWait > 0) return this.refused('relay-bytes-per-sender', senderWait);
    const incoming = incomingOf(own, message);
    let wait = 0;
    for (const { pair } of incoming) wait = Math.max(wait, pairs?.waitMs(pair, 1) ?? 0);
    if (wait > 0) return this.refused('relay-messages-per-pair', wait);
    const admissions = inbound ? incoming.map((one) => inbound.ask(one)) : [];
    const longest = admissions.reduce((most, next) => (next.waitMs > most.waitMs ? next : most), IN_COMMON);
    if (longest.limiter && longest.waitMs > 0) return this.refused(longest.limiter, longest.waitMs);
    bytesOfSender?.take(own, written);
    for (let i = 0; i < incoming.length; i++) {
      const one = incoming[i]!;
      pairs?.take(one.pair, 1);
      if (!notTo(one.account)) inbound?.take(one, admissions[i]!);
    }
    return 0;
  }

  /** The same for a message that is not stored. */
  waitForEphemeral(sender: DeviceId, message: Parts): number {
    const own = accountOf(sender);
    const senderWait = this.ephemeraOfSender.waitMs(own, message.parts.length);
    if (senderWait > 0) return this.refused('relay-ephemera-per-sender', senderWait);
    const incoming = incomingOf(own, message);
    let wait = 0;
    for (const { pair } of incoming) wait = Math.max(wait, this.ephemera?.waitMs(pair, 1) ?? 0);
    if (wait > 0) return this.refused('relay-ephemera-per-pair', wait);
    this.ephemeraOfSender.take(own, message.parts.length);
    for (const { pair } of incoming) this.ephemera?.take(pair, 1);
    return 0;
  }

  /** Milliseconds until the account of `sender` may be told of devices again; 0: it may now, and that is counted (cases D17, S76). */
  waitForMismatch(sender: DeviceId): number {
    const account = accountOf(sender);
    const wait = this.mismatches.waitMs(account, 1);
    if (wait > 0) return this.refused('relay-mismatches-per-sender', wait);
    this.mismatches.take(account, 1);
    return 0;
  }

  private refused(limiter: string, wait: number): number {
    this.metrics.rateLimitRejections.inc({ limiter });
    return wait;
  }
}

/** Into all mailboxes together. */
function writtenBytes({ body, parts }: Parts): number {
  let bytes = parts.length * (OVERHEAD_BYTES + body.length);
  for (const { content } of parts) bytes += content.length;
  return bytes;
}

/** Of each account but `own`, what comes into the mailbox of it that gets most. */
function incomingOf(own: AccountAddress, { body, parts }: Parts): readonly Incoming[] {
  const incoming: { account: AccountAddress; pair: string; bytes: number }[] = [];
  const byAccount = new Map<AccountAddress, (typeof incoming)[number]>();
  for (const { device, content } of parts) {
    const account = accountOf(device);
    if (account === own) continue;
    const bytes = body.length + content.length;
    let one = byAccount.get(account);
    if (!one) {
      one = { account, pair: `${own} ${account}`, bytes };
      byAccount.set(account, one);
      incoming.push(one);
    }
    one.bytes = Math.max(one.bytes, bytes);
  }
  return incoming;
}

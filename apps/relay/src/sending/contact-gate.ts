/**
 * Whom an account lets write to it (docs/spec/contacts.md section 5; cases J01, J05). Whoever is blocked is answered as if nobody were: by
 * the same limits, at the same time, with the same words. A stranger is told what everybody may know, and may send one small message a
 * day; where none are wanted it is taken, and goes nowhere.
 */
import type { Metrics } from '@sealwire/service/metrics';
import type { Part } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId, type MessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { lastUsed } from '../last-used.ts';
import type { AccountRules } from './contact-rules.ts';
import { RateLimit } from './rate-limits.ts';

const PAIRS = 100_000;
const REQUEST_BYTES = LIMITS.contactRequestBytes.value;
const REQUEST_MS = LIMITS.contactRequestMs.value;
const REQUESTS = LIMITS.contactRequestsPerRecipient.value;
const LIMITER = 'relay-contact-requests';

/** A message, as far as this looks at it. */
interface Parts {
  readonly body: Uint8Array;
  readonly parts: readonly Part[];
}

export interface Passage {
  /** They get nothing, and nobody is told. */
  readonly dropped: ReadonlySet<AccountAddress>;
  /** They get nothing, and the sender is told: it is a stranger. */
  readonly refused: ReadonlySet<AccountAddress>;
  /** Until the message may come; 0: now. */
  readonly waitMs: number;
  /** What it uses up. */
  readonly requests: readonly AccountAddress[];
}

export const OPEN: Passage = { dropped: new Set(), refused: new Set(), waitMs: 0, requests: [] };

export type RulesOf = (account: AccountAddress) => AccountRules | undefined;

export class ContactGate {
  /** By sender and recipient: the last request. */
  private readonly last = lastUsed<string, { readonly id: string; readonly at: number }>(PAIRS);
  private readonly perRecipient: RateLimit;

  constructor(
    private readonly now: () => number,
    private readonly metrics: Pick<Metrics, 'rateLimitRejections'>,
  ) {
    this.perRecipient = new RateLimit({ burst: REQUESTS, perSecond: (REQUESTS * 1_000) / REQUEST_MS }, now);
  }

  /** Takes nothing: `pass` does. */
  ask(sender: DeviceId, id: MessageId, message: Parts, rulesOf: RulesOf): Passage {
    const own = accountOf(sender);
    const dropped = new Set<AccountAddress>();
    const refused = new Set<AccountAddress>();
    const requests: AccountAddress[] = [];
    let waitMs = 0;
    for (const [account, bytes] of bytesByAccount(own, message)) {
      const rules = rulesOf(account);
      if (!rules) continue;
      if (rules.isStranger(own)) {
        const known = this.lastOf(own, account);
        if (bytes > REQUEST_BYTES || (known !== undefined && known !== keyOf(id))) {
          refused.add(account);
          continue;
        }
        if (known === undefined) {
          waitMs = Math.max(waitMs, this.perRecipient.waitMs(account, 1));
          requests.push(account);
        }
        if (rules.policy === 'contacts') dropped.add(account);
      }
      if (rules.isBlocked(own)) dropped.add(account);
    }
    if (dropped.size + refused.size + requests.length === 0) return OPEN;
    if (waitMs > 0) this.metrics.rateLimitRejections.inc({ limiter: LIMITER });
    return { dropped, refused, waitMs, requests };
  }

  /** What `ask` has let pass. */
  pass(sender: DeviceId, id: MessageId, { requests }: Passage): void {
    const own = accountOf(sender);
    for (const account of requests) {
      this.last.set(pairOf(own, account), { id: keyOf(id), at: this.now() });
      this.perRecipient.take(account, 1);
    }
  }

  /** Whether what is never stored reaches `account`. */
  letsNearby(sender: DeviceId, account: AccountAddress, rulesOf: RulesOf): boolean {
    const own = accountOf(sender);
    const rules = account === own ? undefined : rulesOf(account);
    return !rules || !(rules.isBlocked(own) || rules.isStranger(own));
  }

  /** The id of the last request, if it was in the last day. */
  private lastOf(own: AccountAddress, account: AccountAddress): string | undefined {
    const last = this.last.get(pairOf(own, account));
    const age = last && this.now() - last.at;
    return age !== undefined && age >= 0 && age < REQUEST_MS ? last?.id : undefined;
  }
}

/** Of each account but `own`, shared body and its largest part. */
function bytesByAccount(own: AccountAddress, { body, parts }: Parts): ReadonlyMap<AccountAddress, number> {
  const bytes = new Map<AccountAddress, number>();
  for (const { device, content } of parts) {
    const account = accountOf(device);
    if (account !== own) bytes.set(account, Math.max(bytes.get(account) ?? 0, body.length + content.length));
  }
  return bytes;
}

function pairOf(own: AccountAddress, account: AccountAddress): string {
  return `${own} ${account}`;
}

function keyOf(id: MessageId): string {
  return Buffer.from(id).toString('latin1');
}

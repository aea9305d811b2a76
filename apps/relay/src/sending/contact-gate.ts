/**
 * Whom an account lets write to it (docs/spec/contacts.md section 5; cases J01, J05). Whoever is blocked is answered as if nobody were: by
 * the same limits, at the same time, with the same words. A stranger is told what everybody may know, and may send one small message a
 * day; where none are wanted it is taken, and goes nowhere.
 */
import type { Charge, Counters } from '@sealwire/bus/counters';
import type { Metrics } from '@sealwire/service/metrics';
import type { Part } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId, type MessageId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { AccountRules } from './contact-rules.ts';

const REQUEST_BYTES = LIMITS.contactRequestBytes.value;
const REQUEST_MS = LIMITS.contactRequestMs.value;
const REQUESTS = LIMITS.contactRequestsPerRecipient.value;
const LIMITER = 'relay-contact-requests';
/** Places among the charges of a request. */
const PAIR = 0;
const SAME = 2;

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
}

export const OPEN: Passage = { dropped: new Set(), refused: new Set(), waitMs: 0 };

export type RulesOf = (account: AccountAddress) => AccountRules | undefined;

export class ContactGate {
  constructor(
    /** Requests are rare enough to be counted together with all nodes (docs/adr/0037). */
    private readonly counters: Counters,
    private readonly metrics: Pick<Metrics, 'rateLimitRejections'>,
  ) {}

  /**
   * Counts what is a request; a promise only then. What is counted stays so if the message waits after all: its repeat is the same
   * request.
   */
  admit(sender: DeviceId, id: MessageId, message: Parts, rulesOf: RulesOf): Passage | Promise<Passage> {
    const own = accountOf(sender);
    const dropped = new Set<AccountAddress>();
    const refused = new Set<AccountAddress>();
    const requests: AccountAddress[] = [];
    for (const [account, bytes] of bytesByAccount(own, message)) {
      const rules = rulesOf(account);
      if (!rules) continue;
      const isStranger = rules.isStranger(own);
      if (isStranger && bytes > REQUEST_BYTES) {
        refused.add(account);
        continue;
      }
      if (isStranger) requests.push(account);
      if (rules.isBlocked(own) || (isStranger && rules.policy === 'contacts')) dropped.add(account);
    }
    if (requests.length > 0) return this.count(sender, id, requests, dropped, refused);
    return dropped.size + refused.size === 0 ? OPEN : { dropped, refused, waitMs: 0 };
  }

  /** Whether what is never stored reaches `account`. */
  letsNearby(sender: DeviceId, account: AccountAddress, rulesOf: RulesOf): boolean {
    const own = accountOf(sender);
    const rules = account === own ? undefined : rulesOf(account);
    return !rules || !(rules.isBlocked(own) || rules.isStranger(own));
  }

  /** `refused` grows by those who have had another message of this stranger. */
  private async count(
    sender: DeviceId,
    id: MessageId,
    requests: readonly AccountAddress[],
    dropped: ReadonlySet<AccountAddress>,
    refused: Set<AccountAddress>,
  ): Promise<Passage> {
    const takings = await Promise.all(
      requests.map((account) => this.counters.take(account, chargesOf(sender, account, id))),
    );
    let waitMs = 0;
    for (let i = 0; i < requests.length; i++) {
      const { refusedAt, standings } = takings[i]!;
      if (refusedAt === undefined) continue;
      if (refusedAt !== PAIR) waitMs = Math.max(waitMs, standings[refusedAt]!.leftMs);
      else if (standings[SAME]!.taken === 0) refused.add(requests[i]!);
    }
    if (waitMs > 0) this.metrics.rateLimitRejections.inc({ limiter: LIMITER });
    return { dropped, refused, waitMs };
  }
}

/** Of one request, under its recipient: all nodes see the first message of a day, and know it again by its id. */
function chargesOf(sender: DeviceId, account: AccountAddress, id: MessageId): readonly Charge[] {
  const charge = (counter: string, key: string, limit: number): Charge => ({
    counter,
    key,
    points: 1,
    limit,
    windowMs: REQUEST_MS,
  });
  return [
    charge('contact-requests-pair', `${accountOf(sender)} ${account}`, 1),
    charge('contact-requests-recipient', account, REQUESTS),
    charge(
      'contact-requests-message',
      `${sender} ${account} ${Buffer.from(id).toString('hex')}`,
      Number.POSITIVE_INFINITY,
    ),
  ];
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

/**
 * The checker: what clients were told against what they got. It knows nothing of servers, only their promises
 * (docs/spec/relay-protocol.md, lime-key-server.md, manifest.md), and judges a history event by event, so that a file of hours needs
 * no more memory than its messages.
 */
import type { HistoryEvent } from '../history/events.ts';
import { Keys } from './keys.ts';
import { Mailboxes } from './mailboxes.ts';
import { Manifests } from './manifests.ts';
import { Messages } from './messages.ts';
import type { Offence, OffenceKind } from './offences.ts';

export interface Verdict {
  readonly offences: readonly Offence[];
  readonly counts: {
    readonly sent: number;
    readonly accepted: number;
    readonly received: number;
    readonly frames: number;
    readonly deliveries: number;
    /** Deliveries of what was delivered before, under the same number: no offence. */
    readonly repeats: number;
    /** Devices that a relay had no room for, by frame: no offence, and none is expected where mailboxes are not full. */
    readonly leftOut: number;
    readonly acknowledgements: number;
    readonly keys: number;
    readonly manifests: number;
    /** By what clients told: `send-waits` 3. Those that are offences too. */
    readonly told: Readonly<{ [what: string]: number }>;
  };
}

/** Of what clients tell, that which is no damage; a kind that is not known here is. */
const HARMLESS: ReadonlySet<string> = new Set(['send-waits', 'left-out']);

export class Checker {
  readonly #offences: Offence[] = [];
  readonly #told: { [what: string]: number } = {};
  readonly #messages: Messages;
  readonly #mailboxes: Mailboxes;
  readonly #keys: Keys;
  readonly #manifests: Manifests;
  #acknowledgements = 0;
  #ended = false;
  #newest = 0;

  constructor() {
    const offend = (kind: OffenceKind, at: number, text: string) => void this.#offences.push({ kind, at, text });
    this.#messages = new Messages(offend);
    this.#mailboxes = new Mailboxes(offend);
    this.#keys = new Keys(offend);
    this.#manifests = new Manifests(offend);
  }

  /** What comes after the end is the leaving: accounts go. */
  take(event: HistoryEvent): void {
    if (this.#ended) return;
    this.#newest = Math.max(this.#newest, event.at);
    this.#messages.take(event);
    this.#mailboxes.take(event);
    this.#keys.take(event);
    this.#manifests.take(event);
    if (event.event === 'acknowledged') this.#acknowledgements += 1;
    else if (event.event === 'end') this.#ended = true;
    else if (event.event === 'told') {
      this.#told[event.what] = (this.#told[event.what] ?? 0) + 1;
      if (!HARMLESS.has(event.what))
        this.#offences.push({ kind: 'told', at: event.at, text: `${event.device}: ${event.what} ${event.detail}` });
    } else if (event.event === 'device-skipped') this.#told['device-skipped'] = (this.#told['device-skipped'] ?? 0) + 1;
    else if (event.event === 'fault' && event.phase === 'not-recovered')
      this.#offences.push({
        kind: 'not-recovered',
        at: event.at,
        text: `${event.fault}: ${event.detail ?? 'no calm within its time'}`,
      });
    else if (event.event === 'storm' && event.back < event.sockets)
      this.#offences.push({
        kind: 'not-recovered',
        at: event.at,
        text: `${event.sockets - event.back} of ${event.sockets} sockets did not come back`,
      });
  }

  verdict(): Verdict {
    const offences = [...this.#offences];
    const missing = (kind: OffenceKind, at: number, text: string) => void offences.push({ kind, at, text });
    if (this.#ended) {
      this.#messages.missing(missing);
      this.#mailboxes.missing(missing);
      this.#manifests.missing(missing);
      if (this.#messages.counts.accepted === 0)
        missing('unfinished', this.#newest, 'nothing was accepted, so that nothing is proved: look at the deployment');
    } else missing('unfinished', this.#newest, 'there is no `end`: run it again, or judge what is there by hand');
    return {
      offences,
      counts: {
        ...this.#messages.counts,
        ...this.#mailboxes.counts,
        acknowledgements: this.#acknowledgements,
        keys: this.#keys.count,
        manifests: this.#manifests.count,
        told: this.#told,
      },
    };
  }
}

/** Of a whole history. */
export function check(events: Iterable<HistoryEvent>): Verdict {
  const checker = new Checker();
  for (const event of events) checker.take(event);
  return checker.verdict();
}

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
import { Restores } from './restores.ts';
import { Told } from './told.ts';

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
    readonly restores: number;
    /** Messages that a restore took away, by device: told, and no offence. */
    readonly gone: number;
    /** Lists of devices that a restore may have taken away, and that are there at the end. */
    readonly givenBack: number;
  };
}

export class Checker {
  readonly #offences: Offence[] = [];
  readonly #restores = new Restores();
  readonly #told: Told;
  readonly #messages: Messages;
  readonly #mailboxes: Mailboxes;
  readonly #keys: Keys;
  readonly #manifests: Manifests;
  #acknowledgements = 0;
  #ended = false;
  #newest = 0;

  constructor() {
    const offend = (kind: OffenceKind, at: number, text: string) => void this.#offences.push({ kind, at, text });
    this.#messages = new Messages(offend, this.#restores);
    this.#mailboxes = new Mailboxes(offend, this.#restores);
    this.#keys = new Keys(offend, this.#restores);
    this.#manifests = new Manifests(offend, this.#restores);
    this.#told = new Told(offend, this.#restores, this.#messages, this.#mailboxes);
  }

  /** What comes after the end is the leaving: accounts go. */
  take(event: HistoryEvent): void {
    if (this.#ended) return;
    this.#newest = Math.max(this.#newest, event.at);
    this.#restores.take(event);
    this.#messages.take(event);
    this.#mailboxes.take(event);
    this.#keys.take(event);
    this.#manifests.take(event);
    this.#told.take(event);
    if (event.event === 'acknowledged') this.#acknowledgements += 1;
    else if (event.event === 'end') this.#ended = true;
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
      this.#told.missing(missing);
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
        told: this.#told.counts,
        restores: this.#restores.count,
        gone: this.#messages.gone.size,
        givenBack: this.#manifests.givenBack,
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

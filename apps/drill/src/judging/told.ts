/**
 * What clients told their applications: damage, unless the keys of a device were not there yet, or a restore is why. After one each device
 * hears of a gap (which counts nothing) and mends its keys, and messages that are gone are told at both ends (backup.md).
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Gone, Messages } from './messages.ts';
import type { Offend } from './offences.ts';
import type { Restores } from './restores.ts';

/** Of what clients tell, that which is no damage; a kind that is not known here is. */
const HARMLESS: ReadonlySet<string> = new Set(['send-waits', 'left-out']);
/** Whether these are of messages that a restore took away is known at the end. */
const OF_MESSAGES: ReadonlySet<string> = new Set(['hole', 'not-arrived']);

type ToldEvent = Extract<HistoryEvent, { event: 'told' }>;

export class Told {
  /** By what clients told: `send-waits` 3. Those that are offences too. */
  readonly counts: { [what: string]: number } = {};
  readonly #offend: Offend;
  readonly #restores: Restores;
  readonly #messages: Messages;
  readonly #mailboxes: Mailboxes;
  readonly #since = new Map<string, number>();
  /** What may be told once after a restore, and was. */
  #once = new Set<string>();
  readonly #later: ToldEvent[] = [];

  constructor(offend: Offend, restores: Restores, messages: Messages, mailboxes: Mailboxes) {
    this.#offend = offend;
    this.#restores = restores;
    this.#messages = messages;
    this.#mailboxes = mailboxes;
  }

  take(event: HistoryEvent): void {
    if (event.event === 'device') this.#since.set(event.device, event.at);
    else if (event.event === 'restored') this.#once = new Set();
    else if (event.event === 'device-skipped') this.#count('device-skipped');
    else if (event.event === 'told') {
      this.#count(event.what);
      if (HARMLESS.has(event.what)) return;
      if (this.#restores.count > 0 && OF_MESSAGES.has(event.what)) this.#later.push(event);
      else if (!this.#isWithoutKeys(event) && !this.#isOfRestore(event)) tell(this.#offend, event);
    }
  }

  /** After that of the messages. */
  missing(offend: Offend): void {
    const gone: ReadonlyMap<string, Gone> = this.#messages.gone;
    const left = new Map<string, number>();
    for (const { from, device } of gone.values()) {
      const pair = `${from} ${device}`;
      left.set(pair, (left.get(pair) ?? 0) + 1);
    }
    for (const event of this.#later) {
      const detail = detailOf(event);
      const pair = `${detail.device} ${event.device}`;
      let isKnown: boolean;
      if (event.what === 'hole') {
        const rest = (left.get(pair) ?? 0) - (detail.last - detail.first + 1);
        left.set(pair, rest);
        isKnown = rest >= 0;
      } else isKnown = detail.ids.every((id: string) => gone.has(`${id} ${detail.device}`));
      if (!isKnown) tell(offend, event);
    }
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** Its sender had nothing to encrypt to (client.md section 5), and was told so. */
  #isWithoutKeys(event: ToldEvent): boolean {
    if (event.what !== 'undecryptable') return false;
    const { code, device, id } = detailOf(event);
    // Receipts are frames, and no messages of anybody.
    const at = this.#messages.writtenAt(id) ?? this.#mailboxes.sentAt(device, id);
    return code === 'no-content' && at !== undefined && !this.#messages.hadKeys(event.device, at, event.at);
  }

  /** Once for each device: a gap without a count, keys that it has mended; and the end of what the server does not know any more. */
  #isOfRestore(event: ToldEvent): boolean {
    const { device, what, detail } = event;
    const { newest } = this.#restores;
    if (!newest) return false;
    if (what === 'stopped') return detail.startsWith('account-lost') && (this.#since.get(device) ?? 0) >= newest.begun;
    const told = detailOf(event);
    const isMild =
      (what === 'gap' && told.count === 0 && told.reason === 'damaged') || (what === 'directory-keys' && told.mended);
    const name = [device, what, told.suite, told.part].join(' ');
    if (!isMild || this.#once.has(name)) return false;
    this.#once.add(name);
    return true;
  }
}

/** What the SDK's event had; nothing of what is no event of it. */
function detailOf({ detail }: ToldEvent) {
  return detail.startsWith('{') ? JSON.parse(detail) : {};
}

function tell(offend: Offend, { at, device, what, detail }: ToldEvent): void {
  offend('told', at, `${device}: ${what} ${detail}`);
}

/**
 * What the relay promises to devices (relay-protocol.md section 4): an accepted frame comes to each device that it named, under one
 * number of its mailbox, and numbers grow on each link.
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

interface Frame {
  readonly at: number;
  /** Of the newest attempt. */
  readonly recipients: ReadonlySet<string>;
  readonly leftOut: ReadonlySet<string>;
  readonly accepted: boolean;
}

interface Mailbox {
  readonly seqOf: Map<string, number>;
  readonly frameAt: Map<number, string>;
  /** The newest number on each link. */
  readonly newest: Map<number, number>;
}

type Answer = Extract<HistoryEvent, { event: 'frame-accepted' | 'frame-left-out' }>;

export class Mailboxes {
  readonly #offend: Offend;
  readonly #frames = new Map<string, Frame>();
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #gone = new Set<string>();
  #deliveries = 0;
  #repeats = 0;
  #leftOut = 0;

  constructor(offend: Offend) {
    this.#offend = offend;
  }

  get counts() {
    return {
      frames: this.#frames.size,
      deliveries: this.#deliveries,
      repeats: this.#repeats,
      leftOut: this.#leftOut,
    };
  }

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'frame-sent': {
        const name = nameOf(event.device, event.id);
        const before = this.#frames.get(name);
        const { at = event.at, leftOut = new Set<string>(), accepted = false } = before ?? {};
        this.#frames.set(name, { at, recipients: new Set(event.recipients), leftOut, accepted });
        break;
      }
      case 'frame-left-out':
        this.#leftOut += event.devices.length;
        this.#change(event, { leftOut: new Set(event.devices) });
        break;
      case 'frame-accepted':
        this.#change(event, { accepted: true });
        break;
      case 'device-leaves':
        this.#gone.add(event.device);
        break;
      case 'delivered':
        this.#delivered(event);
        break;
    }
  }

  missing(offend: Offend): void {
    for (const [name, { at, recipients, leftOut, accepted }] of this.#frames) {
      if (!accepted) continue;
      for (const device of recipients)
        if (!leftOut.has(device) && !this.#gone.has(device) && !this.#mailboxes.get(device)?.seqOf.has(name))
          offend('lost', at, `frame ${name} to ${device}`);
    }
  }

  #delivered(event: Extract<HistoryEvent, { event: 'delivered' }>): void {
    const { at, device, seq, link } = event;
    const name = nameOf(event.from, event.id);
    const text = `frame ${name} to ${device}`;
    const mailbox = this.#mailboxOf(device);
    this.#deliveries += 1;
    if (!this.#frames.get(name)?.recipients.has(device)) this.#offend('foreign', at, text);
    const other = mailbox.frameAt.get(seq);
    if (other !== undefined && other !== name) this.#offend('foreign', at, `${text}: number ${seq} was ${other}`);
    mailbox.frameAt.set(seq, name);
    const newest = mailbox.newest.get(link) ?? 0;
    if (seq <= newest) this.#offend('reordered', at, `${text}: number ${seq} after ${newest} on one link`);
    mailbox.newest.set(link, Math.max(seq, newest));
    const before = mailbox.seqOf.get(name);
    if (before === undefined) mailbox.seqOf.set(name, seq);
    else if (before === seq) this.#repeats += 1;
    else this.#offend('doubled', at, `${text}: under ${before} and ${seq}`);
  }

  #change({ at, device, id }: Answer, change: Partial<Frame>): void {
    const name = nameOf(device, id);
    const frame = this.#frames.get(name);
    if (frame) this.#frames.set(name, { ...frame, ...change });
    else this.#offend('foreign', at, `frame ${name}: answered, and nobody sent it`);
  }

  #mailboxOf(device: string): Mailbox {
    let mailbox = this.#mailboxes.get(device);
    if (!mailbox) {
      mailbox = { seqOf: new Map(), frameAt: new Map(), newest: new Map() };
      this.#mailboxes.set(device, mailbox);
    }
    return mailbox;
  }
}

function nameOf(device: string, id: string): string {
  return `${device} ${id}`;
}

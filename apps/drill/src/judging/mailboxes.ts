/**
 * What the relay promises to devices (relay-protocol.md section 4): an accepted frame comes to each device that it named, under one
 * number of its mailbox, and numbers grow on each link. After a restore a frame of before may come again, under a higher number, and no
 * number is given again (backup.md).
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';
import type { Restores } from './restores.ts';

interface Frame {
  /** Of the first attempt. */
  readonly at: number;
  /** Of the newest attempt. */
  readonly recipients: ReadonlySet<string>;
  readonly leftOut: ReadonlySet<string>;
  readonly acceptedAt: number | undefined;
}

interface Mailbox {
  readonly seqOf: Map<string, number>;
  readonly frameAt: Map<number, string>;
  /** The newest number on each link. */
  readonly newest: Map<number, number>;
  /** The highest number of before the newest restore. */
  floor: number;
}

type Answer = Extract<HistoryEvent, { event: 'frame-accepted' | 'frame-left-out' }>;

export class Mailboxes {
  readonly #offend: Offend;
  readonly #restores: Restores;
  readonly #frames = new Map<string, Frame>();
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #gone = new Set<string>();
  readonly #since = new Map<string, number>();
  #deliveries = 0;
  #repeats = 0;
  #leftOut = 0;

  constructor(offend: Offend, restores: Restores) {
    this.#offend = offend;
    this.#restores = restores;
  }

  get counts() {
    return {
      frames: this.#frames.size,
      deliveries: this.#deliveries,
      repeats: this.#repeats,
      leftOut: this.#leftOut,
    };
  }

  /** The first attempt of a frame. */
  sentAt(device: string, id: string): number | undefined {
    return this.#frames.get(nameOf(device, id))?.at;
  }

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'frame-sent': {
        const name = nameOf(event.device, event.id);
        const before = this.#frames.get(name);
        const { at = event.at, leftOut = new Set<string>(), acceptedAt } = before ?? {};
        this.#frames.set(name, { at, recipients: new Set(event.recipients), leftOut, acceptedAt });
        break;
      }
      case 'frame-left-out':
        this.#leftOut += event.devices.length;
        this.#change(event, { leftOut: new Set(event.devices) });
        break;
      case 'frame-accepted':
        this.#change(event, { acceptedAt: event.at });
        break;
      case 'device':
        this.#since.set(event.device, event.at);
        break;
      case 'device-leaves':
        this.#gone.add(event.device);
        break;
      case 'restored':
        this.#restored();
        break;
      case 'delivered':
        this.#delivered(event);
        break;
    }
  }

  missing(offend: Offend): void {
    for (const [name, { at, recipients, leftOut, acceptedAt }] of this.#frames) {
      if (acceptedAt === undefined || this.#restores.lostWith(acceptedAt)) continue;
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
    const frame = this.#frames.get(name);
    if (!frame?.recipients.has(device)) this.#offend('foreign', at, text);
    const isOld = frame !== undefined && frame.at <= (this.#restores.newest?.restored ?? 0);
    if (!isOld && seq <= mailbox.floor)
      this.#offend('foreign', at, `${text}: number ${seq}, and ${mailbox.floor} was given before the restore`);
    const other = mailbox.frameAt.get(seq);
    if (other !== undefined && other !== name) this.#offend('foreign', at, `${text}: number ${seq} was ${other}`);
    mailbox.frameAt.set(seq, name);
    const newest = mailbox.newest.get(link) ?? 0;
    if (seq <= newest) this.#offend('reordered', at, `${text}: number ${seq} after ${newest} on one link`);
    mailbox.newest.set(link, Math.max(seq, newest));
    const before = mailbox.seqOf.get(name);
    if (before === undefined) mailbox.seqOf.set(name, seq);
    else if (before === seq || isOld) this.#repeats += 1;
    else this.#offend('doubled', at, `${text}: under ${before} and ${seq}`);
  }

  /** A mailbox that was made after the backup begins anew. */
  #restored(): void {
    const { begun } = this.#restores.newest!;
    for (const [device, mailbox] of this.#mailboxes) {
      const isAnother = (this.#since.get(device) ?? 0) >= begun;
      if (isAnother) mailbox.frameAt.clear();
      mailbox.floor = isAnother ? 0 : Math.max(mailbox.floor, ...mailbox.newest.values());
      // Its links broke with the servers.
      mailbox.newest.clear();
    }
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
      mailbox = { seqOf: new Map(), frameAt: new Map(), newest: new Map(), floor: 0 };
      this.#mailboxes.set(device, mailbox);
    }
    return mailbox;
  }
}

function nameOf(device: string, id: string): string {
  return `${device} ${id}`;
}

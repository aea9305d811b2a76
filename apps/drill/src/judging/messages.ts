/**
 * What an application is promised: a message that was accepted comes once to each device of the addressee and to the writer's other
 * ones, in the order of its writer and conversation. What a restore took away is gone, if its device is told that something may be missing.
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';
import type { Restore, Restores } from './restores.ts';

/**
 * A relay compares every message with its own list of the devices of both accounts, and that may be two seconds old where the bus told
 * nobody of the change. The rest is for clients whose `send` is written down a moment after the frame has left.
 */
const NEW_DEVICE_MS = 2_500;

interface Message {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly number: number;
  readonly acceptedAt: number | undefined;
  readonly leftOut: readonly string[];
}

interface Device {
  readonly account: string;
  readonly since: number;
  hasLeft: boolean;
  /** A restore took it away, with its keys; it has brought them again at `until`, or not yet. */
  away: { readonly begins: number; until: number } | undefined;
}

/** A message that is not at a device that it was for. */
export interface Gone {
  readonly from: string;
  readonly device: string;
}

export class Messages {
  /** What restores took away, by message and device; once `missing` has looked. */
  readonly gone = new Map<string, Gone>();
  readonly #offend: Offend;
  readonly #restores: Restores;
  readonly #messages = new Map<string, Message>();
  readonly #devices = new Map<string, Device>();
  readonly #received = new Set<string>();
  /** By writer, conversation and device. */
  readonly #newest = new Map<string, number>();
  readonly #toldOfGap = new Map<Restore, Set<string>>();
  #accepted = 0;

  constructor(offend: Offend, restores: Restores) {
    this.#offend = offend;
    this.#restores = restores;
  }

  get counts() {
    return { sent: this.#messages.size, accepted: this.#accepted, received: this.#received.size };
  }

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'device':
        this.#devices.set(event.device, { account: event.account, since: event.at, hasLeft: false, away: undefined });
        break;
      case 'device-leaves': {
        const device = this.#devices.get(event.device);
        if (device) device.hasLeft = true;
        break;
      }
      case 'send': {
        const { at, from, to, number } = event;
        this.#messages.set(event.id, { at, from, to, number, acceptedAt: undefined, leftOut: [] });
        break;
      }
      case 'accepted': {
        const message = this.#messages.get(event.id);
        if (!message) {
          this.#offend('foreign', event.at, `message ${event.id}: accepted, and nobody wrote it`);
          return;
        }
        this.#messages.set(event.id, { ...message, acceptedAt: event.at, leftOut: event.leftOut });
        this.#accepted += 1;
        break;
      }
      case 'received':
        this.#take(event);
        break;
      case 'device-skipped':
        this.#skipped(event);
        break;
      case 'told':
        if (event.what === 'gap' && this.#restores.newest) this.#toldOf(this.#restores.newest).add(event.device);
        break;
      case 'restored':
        this.#restored();
        break;
      case 'keys-published': {
        const away = this.#devices.get(event.device)?.away;
        if (away) away.until = Math.min(away.until, event.at);
        break;
      }
    }
  }

  missing(offend: Offend): void {
    const devicesOf = new Map<string, [string, Device][]>();
    for (const [id, device] of this.#devices)
      if (!device.hasLeft) devicesOf.set(device.account, [...(devicesOf.get(device.account) ?? []), [id, device]]);
    for (const [id, { hasLeft, away }] of this.#devices)
      if (!hasLeft && away?.until === Number.POSITIVE_INFINITY)
        offend('not-recovered', away.begins, `${id} did not bring its keys again after the restore`);
    this.gone.clear();
    for (const [id, { at, from, to, acceptedAt, leftOut }] of this.#messages) {
      if (acceptedAt === undefined) {
        offend('not-accepted', at, `message ${id} of ${from} to ${to}`);
        continue;
      }
      const own = this.#devices.get(from)?.account;
      const restore = this.#restores.lostWith(acceptedAt);
      const missed = (account: string | undefined) => {
        for (const [device, one] of devicesOf.get(account ?? '') ?? []) {
          const name = `${id} ${device}`;
          if (device === from || one.since > at || leftOut.includes(device) || this.#received.has(name)) continue;
          if (restore && (one.since >= restore.begun || this.#toldOf(restore).has(device)))
            this.gone.set(name, { from, device });
          else if (one.since + NEW_DEVICE_MS <= at && !isAway(one, at, acceptedAt))
            offend('lost', at, `message ${id} of ${from} to ${device}`);
        }
      };
      missed(to);
      if (own !== to) missed(own);
    }
  }

  /** Whether a message that was written at `at` and encrypted until `until` had keys of this device, which is still there. */
  hadKeys(id: string, at: number, until: number): boolean {
    const device = this.#devices.get(id);
    return device !== undefined && !device.hasLeft && device.since <= at && !isAway(device, at, until);
  }

  writtenAt(id: string): number | undefined {
    return this.#messages.get(id)?.at;
  }

  #toldOf(restore: Restore): Set<string> {
    const told = this.#toldOfGap.get(restore) ?? new Set();
    this.#toldOfGap.set(restore, told);
    return told;
  }

  #restored(): void {
    const { begun, restored } = this.#restores.newest!;
    for (const device of this.#devices.values())
      if (device.since >= begun) device.away = { begins: restored, until: Number.POSITIVE_INFINITY };
  }

  /** A sender was told that there is nothing for a device to send to, or that it is gone. */
  #skipped({ at, id, skipped, reason }: Extract<HistoryEvent, { event: 'device-skipped' }>): void {
    const asked = this.#messages.get(id)?.at ?? at;
    if (this.hadKeys(skipped, asked, at))
      this.#offend('told', asked, `message ${id} not for ${skipped}, which is there with keys: ${reason}`);
  }

  #take({ at, id, device, from, to, number }: Extract<HistoryEvent, { event: 'received' }>): void {
    const text = `message ${id} (${number}) of ${from} to ${device}`;
    const message = this.#messages.get(id);
    const account = this.#devices.get(device)?.account;
    const isTheirs = device !== from && (account === to || account === this.#devices.get(from)?.account);
    if (message?.from !== from || message.to !== to || message.number !== number || !isTheirs)
      this.#offend('foreign', at, text);
    const name = `${id} ${device}`;
    if (this.#received.has(name)) {
      this.#offend('doubled', message?.at ?? at, text);
      return;
    }
    this.#received.add(name);
    const pair = `${from} ${to} ${device}`;
    const newest = this.#newest.get(pair) ?? 0;
    if (number < newest) this.#offend('reordered', message?.at ?? at, `${text}: after ${newest}`);
    this.#newest.set(pair, Math.max(newest, number));
  }
}

/** At any time from `at` to `until`. */
function isAway({ away }: Device, at: number, until: number): boolean {
  return away !== undefined && away.begins <= until && at < away.until + NEW_DEVICE_MS;
}

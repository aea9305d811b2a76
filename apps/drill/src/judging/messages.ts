/**
 * What an application is promised: a message that was accepted comes once to each device of the addressee and to the writer's other
 * ones, in the order of its writer and conversation.
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

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
  readonly accepted: boolean;
  readonly leftOut: readonly string[];
}

interface Device {
  readonly account: string;
  readonly since: number;
  hasLeft: boolean;
}

export class Messages {
  readonly #offend: Offend;
  readonly #messages = new Map<string, Message>();
  readonly #devices = new Map<string, Device>();
  readonly #received = new Set<string>();
  /** By writer, conversation and device. */
  readonly #newest = new Map<string, number>();
  #accepted = 0;

  constructor(offend: Offend) {
    this.#offend = offend;
  }

  get counts() {
    return { sent: this.#messages.size, accepted: this.#accepted, received: this.#received.size };
  }

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'device':
        this.#devices.set(event.device, { account: event.account, since: event.at, hasLeft: false });
        break;
      case 'device-leaves': {
        const device = this.#devices.get(event.device);
        if (device) device.hasLeft = true;
        break;
      }
      case 'send': {
        const { at, from, to, number } = event;
        this.#messages.set(event.id, { at, from, to, number, accepted: false, leftOut: [] });
        break;
      }
      case 'accepted': {
        const message = this.#messages.get(event.id);
        if (!message) {
          this.#offend('foreign', event.at, `message ${event.id}: accepted, and nobody wrote it`);
          return;
        }
        this.#messages.set(event.id, { ...message, accepted: true, leftOut: event.leftOut });
        this.#accepted += 1;
        break;
      }
      case 'received':
        this.#take(event);
        break;
      case 'device-skipped':
        this.#skipped(event);
        break;
    }
  }

  missing(offend: Offend): void {
    const devicesOf = new Map<string, [string, Device][]>();
    for (const [id, device] of this.#devices)
      if (!device.hasLeft) devicesOf.set(device.account, [...(devicesOf.get(device.account) ?? []), [id, device]]);
    for (const [id, { at, from, to, accepted, leftOut }] of this.#messages) {
      if (!accepted) {
        offend('not-accepted', at, `message ${id} of ${from} to ${to}`);
        continue;
      }
      const own = this.#devices.get(from)?.account;
      const missed = (account: string | undefined) => {
        for (const [device, { since }] of devicesOf.get(account ?? '') ?? [])
          if (
            device !== from &&
            since + NEW_DEVICE_MS <= at &&
            !leftOut.includes(device) &&
            !this.#received.has(`${id} ${device}`)
          )
            offend('lost', at, `message ${id} of ${from} to ${device}`);
      };
      missed(to);
      if (own !== to) missed(own);
    }
  }

  /** A sender was told that there is nothing for a device to send to, or that it is gone. */
  #skipped({ at, id, skipped, reason }: Extract<HistoryEvent, { event: 'device-skipped' }>): void {
    const device = this.#devices.get(skipped);
    const asked = this.#messages.get(id)?.at ?? at;
    if (device && !device.hasLeft && device.since <= asked)
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

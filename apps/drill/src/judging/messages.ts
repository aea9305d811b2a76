/**
 * What an application is promised: a message that was accepted comes once to each device of the addressee and to the writer's other
 * ones, in the order of its writer and conversation.
 */
import type { HistoryEvent } from '../history/events.ts';
import type { Offend } from './offences.ts';

/** The relay, which knows the addressee's devices, may know an older list for so long. */
const NEW_DEVICE_MS = 60_000;
/** The writer's list of its own devices may be so old (client.md section 5), and nobody corrects it when it names no other one. */
const NEW_OWN_DEVICE_MS = 60 * 60_000;

interface Message {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly accepted: boolean;
  readonly leftOut: readonly string[];
}

interface Device {
  readonly account: string;
  readonly since: number;
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
        this.#devices.set(event.device, { account: event.account, since: event.at });
        break;
      case 'device-leaves':
        this.#devices.delete(event.device);
        break;
      case 'send':
        this.#messages.set(event.id, { at: event.at, from: event.from, to: event.to, accepted: false, leftOut: [] });
        break;
      case 'accepted': {
        const message = this.#messages.get(event.id);
        if (!message) return;
        this.#messages.set(event.id, { ...message, accepted: true, leftOut: event.leftOut });
        this.#accepted += 1;
        break;
      }
      case 'received':
        this.#take(event);
        break;
    }
  }

  missing(offend: Offend): void {
    const devicesOf = new Map<string, [string, Device][]>();
    for (const [id, device] of this.#devices)
      devicesOf.set(device.account, [...(devicesOf.get(device.account) ?? []), [id, device]]);
    for (const [id, { at, from, to, accepted, leftOut }] of this.#messages) {
      if (!accepted) continue;
      const own = this.#devices.get(from)?.account;
      const missed = (account: string | undefined, newMs: number) => {
        for (const [device, { since }] of devicesOf.get(account ?? '') ?? [])
          if (
            device !== from &&
            since + newMs <= at &&
            !leftOut.includes(device) &&
            !this.#received.has(`${id} ${device}`)
          )
            offend('lost', at, `message ${id} of ${from} to ${device}`);
      };
      missed(to, NEW_DEVICE_MS);
      if (own !== to) missed(own, NEW_OWN_DEVICE_MS);
    }
  }

  #take({ at, id, device, from, to, number }: Extract<HistoryEvent, { event: 'received' }>): void {
    const text = `message ${id} (${number}) of ${from} to ${device}`;
    const message = this.#messages.get(id);
    if (message?.from !== from || message.to !== to) this.#offend('foreign', at, text);
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

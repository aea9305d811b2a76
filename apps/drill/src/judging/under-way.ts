/** What is on its way now: written and not accepted, accepted and not with every device. Tells a drill when a fault is over. */
import type { HistoryEvent } from '../history/events.ts';
import { Restores } from './restores.ts';

interface Frame {
  readonly at: number;
  acceptedAt: number | undefined;
  waiting: Set<string>;
}

export class UnderWay {
  readonly #sends = new Map<string, number>();
  readonly #frames = new Map<string, Frame>();
  readonly #gone = new Set<string>();
  readonly #restores = new Restores();

  take(event: HistoryEvent): void {
    this.#restores.take(event);
    switch (event.event) {
      case 'send':
        this.#sends.set(event.id, event.at);
        break;
      case 'accepted':
        this.#sends.delete(event.id);
        break;
      case 'frame-sent': {
        const frame = this.#frames.get(nameOf(event));
        const waiting = new Set(event.recipients.filter((device) => !this.#gone.has(device)));
        if (frame) break;
        this.#frames.set(nameOf(event), { at: event.at, acceptedAt: undefined, waiting });
        break;
      }
      case 'frame-accepted': {
        const frame = this.#frames.get(nameOf(event));
        if (frame) frame.acceptedAt = event.at;
        this.#drop(nameOf(event), []);
        break;
      }
      case 'frame-left-out':
        this.#drop(nameOf(event), event.devices);
        break;
      case 'delivered':
        this.#drop(`${event.from} ${event.id}`, [event.device]);
        break;
      case 'restored':
        for (const [name, { acceptedAt }] of this.#frames)
          if (acceptedAt !== undefined && this.#restores.lostWith(acceptedAt)) this.#frames.delete(name);
        break;
      case 'device-leaves':
        this.#gone.add(event.device);
        for (const name of this.#frames.keys()) this.#drop(name, [event.device]);
        break;
    }
  }

  /** When the oldest of it was written, ms since 1970; undefined: nothing is on its way. */
  oldest(): number | undefined {
    let oldest: number | undefined;
    const look = (at: number) => {
      oldest = Math.min(oldest ?? at, at);
    };
    for (const at of this.#sends.values()) look(at);
    for (const { at, acceptedAt } of this.#frames.values()) if (acceptedAt !== undefined) look(at);
    return oldest;
  }

  #drop(name: string, devices: readonly string[]): void {
    const frame = this.#frames.get(name);
    if (!frame) return;
    for (const device of devices) frame.waiting.delete(device);
    if (frame.acceptedAt !== undefined && frame.waiting.size === 0) this.#frames.delete(name);
  }
}

function nameOf({ device, id }: { readonly device: string; readonly id: string }): string {
  return `${device} ${id}`;
}

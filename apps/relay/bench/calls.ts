/** Counts what a relay asks of its store and of its bus on the hot path: how many messages share a durable write. */
import type { Bus } from '@sealwire/bus/port';
import type { Store } from '@sealwire/store/port';

export interface Counted {
  /** Calls of `Mailboxes.append`, `acknowledge` and `read`, of `Bus.publish`. */
  readonly append: number;
  readonly acknowledge: number;
  readonly read: number;
  readonly publish: number;
}

export class Calls {
  #append = 0;
  #acknowledge = 0;
  #read = 0;
  #publish = 0;
  readonly store: Store;
  readonly bus: Bus;

  constructor(store: Store, bus: Bus) {
    this.store = {
      ...store,
      mailboxes: {
        ...store.mailboxes,
        append: (batch, limits) => {
          this.#append++;
          return store.mailboxes.append(batch, limits);
        },
        acknowledge: (batch) => {
          this.#acknowledge++;
          return store.mailboxes.acknowledge(batch);
        },
        read: (device, bounds) => {
          this.#read++;
          return store.mailboxes.read(device, bounds);
        },
      },
    };
    this.bus = {
      reach: bus.reach,
      publish: (channel, message) => {
        this.#publish++;
        return bus.publish(channel, message);
      },
      subscribe: (channel, handler, onInterruption) => bus.subscribe(channel, handler, onInterruption),
      close: () => bus.close(),
    };
  }

  counted(): Counted {
    return { append: this.#append, acknowledge: this.#acknowledge, read: this.#read, publish: this.#publish };
  }
}

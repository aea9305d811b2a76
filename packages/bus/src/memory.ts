/**
 * The bus inside one process. Nodes that share a `MemoryHub` hear each other: solo has one node, tests start several on one hub.
 */
import { type Bus, BusError, type BusHandler, type Subscription } from './port.ts';

interface Listener {
  readonly handler: BusHandler;
  readonly onInterruption: () => void;
  readonly onHandlerError: (error: unknown) => void;
  active: boolean;
}

interface Pending {
  readonly channel: string;
  readonly message: Uint8Array;
}

/** What the buses of one process have in common. */
export class MemoryHub {
  readonly #channels = new Map<string, Set<Listener>>();
  #pending: Pending[] = [];
  #cuts = 0;

  /** Hands `message` (owned by the hub from now on) to the channel's listeners on a later turn of the event loop. */
  post(channel: string, message: Uint8Array): void {
    if (this.#cuts > 0) return;
    // An immediate rather than a microtask: two nodes that answer each other must not starve the sockets.
    if (this.#pending.push({ channel, message }) === 1) setImmediate(() => this.#deliver());
  }

  add(channel: string, listener: Listener): void {
    const listeners = this.#channels.get(channel);
    if (listeners) listeners.add(listener);
    else this.#channels.set(channel, new Set([listener]));
  }

  remove(channel: string, listener: Listener): void {
    listener.active = false;
    const listeners = this.#channels.get(channel);
    if (listeners?.delete(listener) && listeners.size === 0) this.#channels.delete(channel);
  }

  /** For tests of what listens: all messages are lost until the answer is called, and then that is told. */
  cut(): () => void {
    this.#pending.length = 0;
    this.#cuts++;
    return () => {
      this.#cuts--;
      for (const listeners of [...this.#channels.values()])
        for (const listener of [...listeners]) call(listener, listener.onInterruption);
    };
  }

  #deliver(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { channel, message } of pending)
      for (const listener of [...(this.#channels.get(channel) ?? [])])
        call(listener, () => listener.handler(message.slice()));
  }
}

function call(listener: Listener, handler: () => void): void {
  if (!listener.active) return;
  try {
    handler();
  } catch (error) {
    listener.onHandlerError(error);
  }
}

/**
 * A node's connection to `hub` (default: a hub of its own). `onHandlerError` hears what a handler threw; the other handlers and the
 * publisher do not.
 */
export function openMemoryBus(
  hub: MemoryHub = new MemoryHub(),
  onHandlerError: (error: unknown) => void = () => {},
): Bus {
  const subscriptions = new Map<Listener, string>();
  let closed = false;

  function checkOpen(): void {
    if (closed) throw new BusError('the bus is closed');
  }

  return {
    reach: 'process',

    async publish(channel, message) {
      checkOpen();
      hub.post(channel, message.slice());
    },

    async subscribe(channel, handler, onInterruption = () => {}): Promise<Subscription> {
      checkOpen();
      const listener: Listener = { handler, onInterruption, onHandlerError, active: true };
      subscriptions.set(listener, channel);
      hub.add(channel, listener);
      return {
        async unsubscribe() {
          subscriptions.delete(listener);
          hub.remove(channel, listener);
        },
      };
    },

    async close() {
      closed = true;
      for (const [listener, channel] of subscriptions) hub.remove(channel, listener);
      subscriptions.clear();
    },
  };
}

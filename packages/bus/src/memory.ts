/**
 * The bus inside one process. Nodes that share a `MemoryHub` hear each other: solo has one node, tests start several on one hub.
 */
import { type Bus, BusError, type BusHandler, type Subscription } from './port.ts';

interface Listener {
  readonly handler: BusHandler;
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

  /** Hands `message` (owned by the hub from now on) to the channel's listeners on a later turn of the event loop. */
  post(channel: string, message: Uint8Array): void {
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

  #deliver(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { channel, message } of pending)
      for (const listener of [...(this.#channels.get(channel) ?? [])]) {
        if (!listener.active) continue;
        try {
          listener.handler(message.slice());
        } catch (error) {
          listener.onHandlerError(error);
        }
      }
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
    async publish(channel, message) {
      checkOpen();
      hub.post(channel, message.slice());
    },

    async subscribe(channel, handler): Promise<Subscription> {
      checkOpen();
      const listener: Listener = { handler, onHandlerError, active: true };
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

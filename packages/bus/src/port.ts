/**
 * A wake-up call between nodes: opaque bytes to whoever listens on a channel now. The mailbox is
 * the truth: the system is correct, only slower, if every message of the bus is lost.
 *
 * Promised: a message is heard at most once by a handler, whole, by nobody but the channel's
 * listeners. Not promised: that it arrives, and any order, even of one publisher's messages: who
 * needs one numbers them, or awaits each `publish`. What an adapter knows to be lost in a
 * listener's direction (a connection that broke, a queue that ran over) it must tell that listener.
 */
export type BusHandler = (message: Uint8Array) => void;

export interface Subscription {
  /** No call of the handlers starts after this resolves. Idempotent. */
  unsubscribe(): Promise<void>;
}

export interface Bus {
  /** Who hears what is published: listeners in this process only, or on every node. */
  readonly reach: 'process' | 'nodes';
  /**
   * Resolves when the message is handed over, not when it arrives. Rejects with `BusError` when
   * that is impossible. One of the two happens within seconds, whatever the connection does.
   */
  publish(channel: string, message: Uint8Array): Promise<void>;
  /**
   * Resolves when the subscription is confirmed: what is published after that is heard, unless the
   * bus drops it. The adapter keeps it alive: it mends what broke by itself, and calls
   * `onInterruption` once the subscription is confirmed anew. Then: what came meanwhile is lost,
   * look yourself; what is published from now on is heard.
   */
  subscribe(channel: string, handler: BusHandler, onInterruption?: () => void): Promise<Subscription>;
  close(): Promise<void>;
}

export class BusError extends Error {
  override readonly name = 'BusError';
  readonly kind = 'unavailable';
  readonly retryable = true;
}

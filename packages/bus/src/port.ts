/**
 * A wake-up call between nodes: opaque bytes to whoever listens on a channel now. At most once, may drop, no order promised between
 * publishers. The mailbox is the truth: the system is correct, only slower, if every message of the bus is lost.
 */
export type BusHandler = (message: Uint8Array) => void;

export interface Subscription {
  /** No call of the handler starts after this resolves. Idempotent. */
  unsubscribe(): Promise<void>;
}

export interface Bus {
  /** Resolves when the message is handed over, not when it arrives. Rejects with `BusError` when that is impossible. */
  publish(channel: string, message: Uint8Array): Promise<void>;
  /** Resolves when the subscription is confirmed: what is published after that is heard, unless the bus drops it. */
  subscribe(channel: string, handler: BusHandler): Promise<Subscription>;
  close(): Promise<void>;
}

export class BusError extends Error {
  override readonly name = 'BusError';
  readonly kind = 'unavailable';
  readonly retryable = true;
}

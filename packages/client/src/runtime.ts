/** What the SDK's core is given and never reaches for: primitives, randomness, time, and the network. */
import type { FloePrimitives } from '@sealwire/crypto/floe';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';

export interface SocketClose {
  /** RFC 6455 section 7.4; 1006 when the connection was lost or never made. */
  readonly code: number;
  readonly reason: string;
  /** The server answered the upgrade with an HTTP error and asks not to come back sooner, ms. */
  readonly retryAfterMs?: number;
}

export interface SocketHandlers {
  opened(): void;
  /** One binary message; the array belongs to the handler. */
  received(bytes: Uint8Array): void;
  /** Exactly once, and nothing after it, also when the connection could not be made. */
  closed(close: SocketClose): void;
}

export interface Socket {
  /** Queues one binary message. Without effect once closed. */
  send(bytes: Uint8Array): void;
  /** Starts the closing handshake. */
  close(code: number): void;
  /** Ends the connection without a handshake: the other side does not answer. */
  drop(): void;
}

/** Opens a WebSocket to `url` (ws: or wss:) with one subprotocol. Never throws: failure is `closed` with 1006. */
export type ConnectSocket = (url: string, subprotocol: string, handlers: SocketHandlers) => Socket;

export interface Timers {
  /** Calls `run` once, `ms` from now; the answer cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** For the application's own eyes. Carries codes and counts, never content, keys or tokens. */
export interface TraceEvent {
  readonly name: string;
  readonly [detail: string]: string | number | boolean | undefined;
}

export interface ClientRuntime {
  readonly crypto: CryptoProvider;
  /** For files, where the platform has something faster. Default: `crypto`. */
  readonly floe?: FloePrimitives;
  readonly random: RandomBytes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly fetch: typeof fetch;
  readonly connectSocket: ConnectSocket;
  /** Default: the platform's. */
  readonly timers?: Timers;
  readonly trace?: (event: TraceEvent) => void;
}

export const platformTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when `signal` fires; never rejects. */
export function pause(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = timers.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

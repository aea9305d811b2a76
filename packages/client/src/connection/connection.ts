/**
 * Stays connected: offline → connecting → online → connecting → … until it is closed or told that it never can be again
 * (docs/spec/client.md section 3). The close code's range decides what follows (wire/errors); no way back in is a hot loop (case L01).
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { CLOSE_CODES, type CloseCode, closeAction } from '@sealwire/wire/errors';
import type { ServerFrame, Welcome } from '@sealwire/wire/frames';
import { asClientError, ClientError, systemCodeOf } from '../errors.ts';
import type { ConnectionState } from '../events.ts';
import { type ConnectSocket, pause, type SocketClose, type Timers } from '../runtime.ts';
import type { AccessTokens } from './access-tokens.ts';
import { backOff, LONG_OUTAGE } from './back-off.ts';
import { Link } from './link.ts';

/** A link that lived this long was a good one: the next failure is a first one. */
const STABLE_MS = 10_000;

export interface ConnectionOptions {
  readonly url: string;
  readonly tokens: AccessTokens;
  readonly connectSocket: ConnectSocket;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly online: () => void;
  readonly received: (frame: Exclude<ServerFrame, Welcome>) => void;
  readonly offline: () => void;
  /** It will never be online again. */
  readonly stopped: (reason: ClientError) => void;
  readonly trace: (name: string, details?: Record<string, string | number>) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #stopping = new AbortController();
  #state: ConnectionState = 'offline';
  #link: Link | undefined;
  #running: Promise<void> | undefined;
  #failure: ClientError | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when online. Rejects with the reason when that will never be, and with `aborted`: the connection is then closed. */
  async start(signal?: AbortSignal): Promise<void> {
    const abort = () => this.fail(new ClientError('aborted', 'stopped as asked'));
    if (signal?.aborted) abort();
    if (this.#state === 'stopped') throw this.#reason();
    if (this.#state === 'offline') this.#running = this.#run();
    if (this.#state === 'online') return;
    signal?.addEventListener('abort', abort, { once: true });
    const state = await this.#settled();
    signal?.removeEventListener('abort', abort);
    if (state === 'stopped') throw this.#reason();
  }

  /** Throws why there will be no link any more; `closed` when nothing went wrong. */
  refuseWhenStopped(): void {
    if (this.#state === 'stopped') throw this.#reason();
  }

  /** One encoded frame; without effect while not online. */
  send(frame: Uint8Array): void {
    this.#link?.send(frame);
  }

  acknowledge(seq: number): void {
    this.#link?.acknowledge(seq);
  }

  /** Ends this link; the next one follows after the usual pause, and `retryAfterMs` on top. */
  drop(reason: string, retryAfterMs?: number): void {
    this.#link?.drop(reason, retryAfterMs);
  }

  /** Stops for good, with a reason that `start` and the application get to see. */
  fail(reason: ClientError): void {
    if (this.#state === 'stopped') return;
    this.#failure = reason;
    this.#stopping.abort();
    this.#link?.close();
    this.#become('stopped');
    this.#options.stopped(reason);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#link?.close();
    if (this.#state !== 'stopped') this.#become('stopped');
    await this.#running;
  }

  async #run(): Promise<void> {
    const { timers, random, tokens } = this.#options;
    const stopping = this.#stopping.signal;
    let failures = 0;
    let renew = false;
    let removed = false;
    while (!stopping.aborted) {
      this.#become('connecting');
      let atLeastMs = 0;
      try {
        const { token } = renew ? await tokens.renew() : await tokens.current();
        if (stopping.aborted) return;
        const { close, isStable } = await this.#connect(token);
        if (stopping.aborted) return;
        const action = closeAction(close.code);
        // The login finds out whether that is so: a restored server gets back what it lost. The relay is asked once more, not twice.
        const isRemoved = nameOf(close.code) === 'device-removed';
        if (action === 'stop' && (!isRemoved || removed)) return this.fail(terminal(close));
        removed = isRemoved;
        renew = isRemoved || action === 'renew';
        atLeastMs = close.retryAfterMs ?? 0;
        if (isStable) failures = 0;
        // Two processes with one device's keys would replace each other for ever: they do it slowly.
        if (nameOf(close.code) === 'replaced') failures = Math.max(failures, LONG_OUTAGE);
        this.#options.trace('link-closed', { code: close.code, reason: close.reason });
      } catch (error) {
        const reason = asClientError(error, 'unreachable');
        if (!reason.retryable) return this.fail(removed && reason.code === 'login-refused' ? deviceRemoved() : reason);
        atLeastMs = reason.retryAfterMs ?? 0;
        const cause = systemCodeOf(reason);
        this.#options.trace('login-failed', { code: reason.code, ...(cause && { cause }) });
      }
      const wait = backOff(failures++, random, atLeastMs);
      this.#options.trace('reconnecting', { inMs: wait });
      await pause(timers, wait, stopping);
    }
  }

  /** Resolves when the link has ended. */
  #connect(token: string): Promise<{ close: SocketClose; isStable: boolean }> {
    const { timers, tokens } = this.#options;
    let isOnline = false;
    let isStable = false;
    let cancelStable = () => {};
    return new Promise((resolve) => {
      this.#link = new Link({
        url: this.#options.url,
        token,
        connectSocket: this.#options.connectSocket,
        timers,
        renew: async () => (await tokens.renew()).token,
        welcomed: () => {
          isOnline = true;
          cancelStable = timers.after(STABLE_MS, () => {
            isStable = true;
          });
          this.#become('online');
          this.#options.online();
        },
        received: this.#options.received,
        closed: (close) => {
          this.#link = undefined;
          cancelStable();
          if (isOnline) {
            if (this.#state === 'online' && !this.#stopping.signal.aborted) this.#become('connecting');
            this.#options.offline();
          }
          resolve({ close, isStable });
        },
      });
    });
  }

  #settled(): Promise<'online' | 'stopped'> {
    return new Promise((resolve) => {
      const forget = this.onState((state) => {
        if (state !== 'online' && state !== 'stopped') return;
        forget();
        resolve(state);
      });
    });
  }

  #reason(): ClientError {
    return this.#failure ?? new ClientError('closed', 'this client is closed: open it again');
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

function nameOf(code: number): string {
  return code in CLOSE_CODES ? CLOSE_CODES[code as CloseCode].name : String(code);
}

function deviceRemoved(): ClientError {
  return new ClientError('device-removed', 'this device is not part of its account any more');
}

function terminal(close: SocketClose): ClientError {
  if (nameOf(close.code) === 'device-removed') return deviceRemoved();
  const text = `the relay ended the connection for good (${close.code} ${close.reason || nameOf(close.code)}): update this client`;
  return new ClientError('protocol-error', text);
}

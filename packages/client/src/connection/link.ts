/**
 * One connection to the relay, from the upgrade to its end (docs/spec/relay-protocol.md): hello, welcome, heartbeat, renewal of the
 * token in band. It decodes and hands over; what frames mean is decided elsewhere.
 */
import { closeCodeOf } from '@sealwire/wire/errors';
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type ServerFrame, SUBPROTOCOL, type Welcome } from '@sealwire/wire/frames';
import { LIMITS } from '@sealwire/wire/limits';
import { WireError } from '@sealwire/wire/wire-error';
import type { ConnectSocket, Socket, SocketClose, Timers } from '../runtime.ts';

const WELCOME_WITHIN_MS = 15_000;
/** How long before its end a token is replaced; a short-lived one at half its life. */
const RENEW_BEFORE_MS = 2 * 60_000;
/** A relay that gives a token a longer life than anybody needs does not put its renewal off for ever. */
const LONGEST_LIFE_MS = 24 * 60 * 60_000;
const CLIENT_NAME = 'sealwire-sdk/0.1.0';

export interface LinkOptions {
  readonly url: string;
  readonly token: string;
  readonly connectSocket: ConnectSocket;
  readonly timers: Timers;
  /** A newer token for the same device. */
  readonly renew: () => Promise<string>;
  readonly welcomed: (welcome: Welcome) => void;
  readonly received: (frame: Exclude<ServerFrame, Welcome>) => void;
  /** Exactly once, and nothing after it. */
  readonly closed: (close: SocketClose) => void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  #cancelDeadline: () => void;
  #cancelRenewal: () => void = () => {};
  #heard = false;
  #welcomed = false;
  #ended = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#cancelDeadline = options.timers.after(WELCOME_WITHIN_MS, () => this.#lose('no welcome'));
    this.#socket = options.connectSocket(options.url, SUBPROTOCOL, {
      opened: () =>
        this.send(encodeClientFrame({ kind: 'hello', token: options.token, lane: 'both', client: CLIENT_NAME })),
      received: (bytes) => this.#read(bytes),
      closed: (close) => this.#end(close),
    });
  }

  /** One encoded frame. Without effect once the link has ended. */
  send(frame: Uint8Array): void {
    if (!this.#ended) this.#socket.send(frame);
  }

  /** Acknowledges all up to and including `seq`. */
  acknowledge(seq: number): void {
    this.send(encodeClientFrame({ kind: 'ack', upTo: seq }));
  }

  /** Leaves in good order; what was sent before still arrives. */
  close(): void {
    this.#socket.close(closeCodeOf('normal'));
    this.#end({ code: closeCodeOf('normal'), reason: 'closed as asked' });
  }

  /** Ends a connection that is of no use any more. */
  drop(reason: string, retryAfterMs?: number): void {
    this.#lose(reason, retryAfterMs);
  }

  #read(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#heard = true;
    const frame = this.#decode(bytes);
    if (!frame) return;
    // An error may come before the welcome. Anything else out of turn would be work, and state, of a link that is none.
    if (frame.kind !== 'error' && this.#welcomed === (frame.kind === 'welcome')) {
      this.#lose(`the relay said ${frame.kind} out of turn`);
      return;
    }
    if (frame.kind === 'welcome') {
      this.#welcomed = true;
      this.#cancelDeadline();
      this.#beat();
      this.#renewBefore(frame.expiresAt - frame.serverTime);
      this.#options.welcomed(frame);
      return;
    }
    // The new token's life counts from now on; the server's clock is not needed again.
    if (frame.kind === 'renewed') this.#renewBefore(LIMITS.accessTokenMs.value);
    this.#options.received(frame);
  }

  /** Undefined for a frame of a newer version: it is skipped (case H15). What is no frame ends the link. */
  #decode(bytes: Uint8Array): ServerFrame | undefined {
    try {
      return decodeServerFrame(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (error.code !== 'unknown-frame') this.#lose(`the relay sent what is no frame: ${error.message}`);
      return undefined;
    }
  }

  /** Every 25 s without a word from the relay it is asked; after 8 more seconds of silence the link is dead (case A17, our side). */
  #beat(): void {
    this.#heard = false;
    this.#cancelDeadline = this.#options.timers.after(LIMITS.pingEveryMs.value, () => {
      if (this.#heard) return this.#beat();
      this.send(encodeClientFrame({ kind: 'ping', nonce: 1 }));
      this.#cancelDeadline = this.#options.timers.after(LIMITS.pongWithinMs.value, () => {
        if (this.#heard) this.#beat();
        else this.#lose('no answer to a ping');
      });
    });
  }

  #renewBefore(givenLifeMs: number): void {
    this.#cancelRenewal();
    const lifeMs = Math.min(givenLifeMs, LONGEST_LIFE_MS);
    const inMs = Math.max(lifeMs / 2, lifeMs - RENEW_BEFORE_MS);
    this.#cancelRenewal = this.#options.timers.after(inMs, () => {
      this.#options.renew().then(
        (token) => this.send(encodeClientFrame({ kind: 'renew', token })),
        // The relay will close with a code that says what to do; there is nothing better to do with this error here.
        () => undefined,
      );
    });
  }

  #lose(reason: string, retryAfterMs?: number): void {
    this.#socket.drop();
    this.#end({ code: 1006, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  #end(close: SocketClose): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelDeadline();
    this.#cancelRenewal();
    this.#options.closed(close);
  }
}

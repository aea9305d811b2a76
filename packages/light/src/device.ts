/**
 * Devices without the SDK's cryptography, by the hundreds: they log in, hold a socket, and send and hear frames
 * (docs/spec/relay-protocol.md sections 2 and 3). They come back by themselves, as the SDK does.
 */
import type { ClientRuntime, SocketClose } from '@sealwire/client/runtime';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { closeAction } from '@sealwire/wire/errors';
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { type ServerFrame, SUBPROTOCOL, type Welcome } from '@sealwire/wire/frames';
import { ChallengeAnswer, TokenAnswer } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  decodeAnswer,
  encodeRequest,
  LIME_CONTENT_TYPE,
  type LimeAnswer,
  type LimeRequest,
} from '@sealwire/wire/lime-server';
import { loginMessage } from '@sealwire/wire/login';
import { WireError } from '@sealwire/wire/wire-error';
import { LIGHT_SUITE, type LightIdentity } from './account.ts';
import { type Calling, call, json } from './calls.ts';

/** A token is renewed this long before its end. */
const MARGIN_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 8_000;

export interface LightTerms extends Calling {
  /** URL of its socket. */
  readonly relay: string;
  /** What it tells the relay that it is. */
  readonly client: string;
}

export interface LightListener {
  welcomed?(): void;
  /** Any frame but the welcome. */
  received?(frame: Exclude<ServerFrame, Welcome>): void;
  /** The link is gone, or could not be made, while it is held; it is tried again unless the device is refused. */
  closed?(close: SocketClose): void;
}

export class LightDevice {
  readonly id: DeviceId;
  /** The relay has welcomed it, and its socket is open. */
  online = false;
  /** Code of a socket that was closed for good. */
  refused: number | undefined;
  readonly #identity: LightIdentity;
  readonly #terms: LightTerms;
  readonly #listener: LightListener;
  #token: { readonly token: string; readonly expiresAt: number } | undefined;
  #socket: ReturnType<ClientRuntime['connectSocket']> | undefined;
  #again: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #failures = 0;
  #held = false;
  #settled = () => {};

  constructor(identity: LightIdentity, terms: LightTerms, listener: LightListener = {}) {
    this.id = identity.id;
    this.#identity = identity;
    this.#terms = terms;
    this.#listener = listener;
  }

  /** From now on it has a socket, or tries to get one. Resolves when it is let in, or never will be: `refused` then says why. */
  hold(): Promise<void> {
    this.#held = true;
    void this.#connect();
    return new Promise((resolve) => {
      this.#settled = resolve;
    });
  }

  /** One encoded frame; without effect while it is not online. */
  send(frame: Uint8Array): void {
    if (this.online) this.#socket?.send(frame);
  }

  /** Its socket breaks without a word; it comes back by itself when it is held. */
  drop(): void {
    // Now, and not when the break is heard of: who looks at once must not take it for one that is back.
    this.online = false;
    this.#socket?.drop();
  }

  end(): void {
    this.#held = false;
    clearTimeout(this.#again);
    clearTimeout(this.#renewal);
    this.#socket?.close(1000);
  }

  /** Rejects with `Refused`. */
  async token(): Promise<string> {
    const { server, runtime } = this.#terms;
    if (this.#token && this.#token.expiresAt - runtime.now() > MARGIN_MS) return this.#token.token;
    const asked = await call(this.#terms, '/v1/login/challenge', json('POST', { device: this.id }));
    const { challenge } = ChallengeAnswer.parse(await asked.json());
    const message = loginMessage(new URL(server).origin, this.id, challenge);
    const signature = encodeBase64url(runtime.crypto.ed25519.sign(this.#identity.loginSeed, message));
    const body = { device: this.id, challenge, signature };
    this.#token = TokenAnswer.parse(await (await call(this.#terms, '/v1/login/token', json('POST', body))).json());
    return this.#token.token;
  }

  /** Asks the key directory. Rejects with `Refused`, and with a `WireError` for an answer that is none. */
  async askDirectory(request: LimeRequest): Promise<LimeAnswer> {
    const answer = await call(this.#terms, '/lime', {
      method: 'POST',
      headers: { 'content-type': LIME_CONTENT_TYPE, from: this.id, authorization: `Bearer ${await this.token()}` },
      body: encodeRequest(request),
    });
    return decodeAnswer(new Uint8Array(await answer.arrayBuffer()), request.suite);
  }

  /** Takes a bundle of each device, with a one-time key while there are any. */
  takeBundles(devices: readonly DeviceId[]): Promise<LimeAnswer> {
    return this.askDirectory({ kind: 'getPeerBundle', suite: LIGHT_SUITE, devices });
  }

  /** The account with all its devices. */
  async deleteAccount(): Promise<void> {
    const headers = { authorization: `Bearer ${await this.token()}` };
    await call(this.#terms, '/v1/account', { method: 'DELETE', headers });
  }

  async #connect(): Promise<void> {
    let token: string;
    try {
      token = await this.token();
    } catch (error) {
      this.#listener.closed?.({ code: 1006, reason: (error as Error).message });
      this.#comeBack(0);
      return;
    }
    if (!this.#held) return;
    const { runtime, relay, client } = this.#terms;
    const socket = runtime.connectSocket(relay, SUBPROTOCOL, {
      opened: () => socket.send(encodeClientFrame({ kind: 'hello', token, lane: 'both', client })),
      received: (bytes) => this.#read(bytes),
      closed: (close) => this.#closed(close),
    });
    this.#socket = socket;
  }

  #read(bytes: Uint8Array): void {
    let frame: ServerFrame;
    try {
      frame = decodeServerFrame(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // A frame of a newer version is skipped; what is no frame is no link.
      if (error.code !== 'unknown-frame') this.drop();
      return;
    }
    if (frame.kind === 'welcome') {
      this.online = true;
      this.#failures = 0;
      this.#renewBefore(frame.expiresAt - frame.serverTime);
      this.#settled();
      this.#listener.welcomed?.();
    } else this.#listener.received?.(frame);
  }

  #closed(close: SocketClose): void {
    this.online = false;
    clearTimeout(this.#renewal);
    const action = closeAction(close.code);
    if (action === 'stop' && this.#held) {
      this.refused = close.code;
      this.#settled();
    }
    if (action === 'renew') this.#token = undefined;
    if (this.#held) this.#listener.closed?.(close);
    if (action !== 'stop') this.#comeBack(close.retryAfterMs ?? 0);
  }

  /** In band, so that a long run has no reconnections of its own making. */
  #renewBefore(lifeMs: number): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(
      () => {
        this.#token = undefined;
        this.token().then(
          (token) => {
            this.send(encodeClientFrame({ kind: 'renew', token }));
            this.#renewBefore(this.#token!.expiresAt - this.#terms.runtime.now());
          },
          // The relay closes with a code that says what to do.
          () => undefined,
        );
      },
      Math.max(lifeMs / 2, lifeMs - 2 * MARGIN_MS),
    );
    this.#renewal.unref();
  }

  /** Full jitter: who fell together does not come back together. */
  #comeBack(atLeastMs: number): void {
    if (!this.#held) return;
    const ceiling = Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    const [a, b] = this.#terms.runtime.random(2) as Uint8Array & [number, number];
    this.#again = setTimeout(() => void this.#connect(), atLeastMs + (ceiling * (a * 256 + b)) / 65_536);
  }
}

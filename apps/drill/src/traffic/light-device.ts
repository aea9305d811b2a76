/**
 * Devices without the SDK's cryptography, by the hundreds: accounts whose lists name ten devices each. They log in, hold a socket, ask
 * for bundles; nobody writes to them (docs/spec/relay-protocol.md sections 2 and 3).
 */
import type { ClientRuntime } from '@sealwire/client/runtime';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { closeAction } from '@sealwire/wire/errors';
import { decodeServerFrame, encodeClientFrame } from '@sealwire/wire/frame-codec';
import { SUBPROTOCOL } from '@sealwire/wire/frames';
import { ChallengeAnswer, TokenAnswer, WellKnown } from '@sealwire/wire/http';
import { addressOf, type DeviceId, nameOf, parseAccountName, parseDeviceId } from '@sealwire/wire/ids';
import { encodeRequest, LIME_CONTENT_TYPE } from '@sealwire/wire/lime-server';
import { loginMessage } from '@sealwire/wire/login';
import {
  encodeManifest,
  type ManifestDevice,
  manifestHash,
  manifestSigningInput,
  noPreviousManifest,
} from '@sealwire/wire/manifest';

import { patiently, Refused } from './limits.ts';

const SEED_BYTES = 32;
export const DEVICES_EACH = 10;
/** A token is renewed this long before its end. */
const MARGIN_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 8_000;

/** Rejects with `Refused` unless the answer is a good one. Waits for limits that are soon over. */
function call(runtime: ClientRuntime, url: string, init: RequestInit): Promise<Response> {
  return patiently(() => callOnce(runtime, url, init));
}

async function callOnce(runtime: ClientRuntime, url: string, init: RequestInit): Promise<Response> {
  const response = await runtime.fetch(url, init);
  if (response.ok) return response;
  const after = response.headers.get('retry-after');
  const text = `${new URL(url).pathname} answered ${response.status}: ${await response.text()}`;
  throw new Refused(text, response.status === 429, after === null ? undefined : Number(after) * 1_000);
}

const json = (method: string, body: object): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** An account named `name` with `DEVICES_EACH` devices: made with one, then listed with all. */
export async function makeLightAccount(
  server: string,
  name: string,
  runtime: ClientRuntime,
  invitation?: string,
): Promise<LightDevice[]> {
  const { crypto, random, now } = runtime;
  const { domain, relay } = WellKnown.parse(await (await call(runtime, `${server}/.well-known/sealwire`, {})).json());
  const address = addressOf(parseAccountName(name), domain);
  const addedAt = now();
  const made = Array.from({ length: DEVICES_EACH }, (_, i) => {
    const loginSeed = random(SEED_BYTES);
    const entry: ManifestDevice = {
      id: parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`),
      identities: [{ suite: 'c25519', identityKey: crypto.ed25519.publicKey(random(SEED_BYTES)) }],
      loginKey: crypto.ed25519.publicKey(loginSeed),
      addedAt,
    };
    return { loginSeed, entry };
  });
  const accountSeed = random(SEED_BYTES);
  const signed = (version: number, previous: Uint8Array, devices: readonly ManifestDevice[]) => {
    const bytes = encodeManifest({ address, version, previous, issuedAt: addedAt, devices });
    const signature = crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes));
    return { bytes, body: { manifest: encodeBase64url(bytes), signature: encodeBase64url(signature) } };
  };
  const first = signed(1, noPreviousManifest(), [made[0]!.entry]);
  const accountKey = encodeBase64url(crypto.ed25519.publicKey(accountSeed));
  const account = { name, accountKey, manifest: first.body, ...(invitation ? { invitation } : {}) };
  await call(runtime, `${server}/v1/accounts`, json('POST', account));
  const all = signed(
    2,
    manifestHash(crypto, first.bytes),
    made.map(({ entry }) => entry),
  );
  await call(runtime, `${server}/directory/manifests/${nameOf(address)}`, json('PUT', all.body));
  const url = new URL(relay, server.replace(/^http/, 'ws')).href;
  return made.map(({ loginSeed, entry }) => new LightDevice(entry.id, { server, relay: url, loginSeed, runtime }));
}

interface LightDeviceTerms {
  readonly server: string;
  /** URL of its socket. */
  readonly relay: string;
  readonly loginSeed: Uint8Array;
  readonly runtime: ClientRuntime;
}

export class LightDevice {
  readonly id: DeviceId;
  /** The relay has welcomed it, and its socket is open. */
  online = false;
  /** Codes of sockets that were closed for good. */
  refused: number | undefined;
  readonly #terms: LightDeviceTerms;
  #token: { readonly token: string; readonly expiresAt: number } | undefined;
  #socket: ReturnType<ClientRuntime['connectSocket']> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #held = false;

  constructor(id: DeviceId, terms: LightDeviceTerms) {
    this.id = id;
    this.#terms = terms;
  }

  /** From now on it has a socket, or tries to get one. */
  hold(): void {
    this.#held = true;
    void this.#connect();
  }

  /** Its socket breaks without a word; it comes back by itself when it is held. */
  drop(): void {
    // Now, and not when the break is heard of: who looks at once must not take it for one that is back.
    this.online = false;
    this.#socket?.drop();
  }

  end(): void {
    this.#held = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  async token(): Promise<string> {
    const { server, loginSeed, runtime } = this.#terms;
    if (this.#token && this.#token.expiresAt - runtime.now() > MARGIN_MS) return this.#token.token;
    const asked = await call(runtime, `${server}/v1/login/challenge`, json('POST', { device: this.id }));
    const { challenge } = ChallengeAnswer.parse(await asked.json());
    const signed = runtime.crypto.ed25519.sign(loginSeed, loginMessage(new URL(server).origin, this.id, challenge));
    const body = { device: this.id, challenge, signature: encodeBase64url(signed) };
    this.#token = TokenAnswer.parse(await (await call(runtime, `${server}/v1/login/token`, json('POST', body))).json());
    return this.#token.token;
  }

  /** Takes a bundle of each device, with a one-time key while there are any; the runtime writes them down. */
  async takeBundles(devices: readonly DeviceId[]): Promise<void> {
    const { server, runtime } = this.#terms;
    await call(runtime, `${server}/lime`, {
      method: 'POST',
      headers: { 'content-type': LIME_CONTENT_TYPE, from: this.id, authorization: `Bearer ${await this.token()}` },
      body: encodeRequest({ kind: 'getPeerBundle', suite: 'c25519', devices }),
    });
  }

  /** The account with all its devices. */
  async deleteAccount(): Promise<void> {
    const { server, runtime } = this.#terms;
    const headers = { authorization: `Bearer ${await this.token()}` };
    await call(runtime, `${server}/v1/account`, { method: 'DELETE', headers });
  }

  async #connect(): Promise<void> {
    let token: string;
    try {
      token = await this.token();
    } catch {
      this.#again(0);
      return;
    }
    if (!this.#held) return;
    const socket = this.#terms.runtime.connectSocket(this.#terms.relay, SUBPROTOCOL, {
      opened: () => socket.send(encodeClientFrame({ kind: 'hello', token, lane: 'both', client: 'drill' })),
      received: (bytes) => {
        if (decodeServerFrame(bytes).kind !== 'welcome') return;
        this.online = true;
        this.#failures = 0;
      },
      closed: ({ code, retryAfterMs = 0 }) => {
        this.online = false;
        const action = closeAction(code);
        if (action === 'stop' && this.#held) this.refused = code;
        if (action === 'renew') this.#token = undefined;
        if (action !== 'stop') this.#again(retryAfterMs);
      },
    });
    this.#socket = socket;
  }

  /** Full jitter: who fell together does not come back together. */
  #again(atLeastMs: number): void {
    if (!this.#held) return;
    const ceiling = Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    const [a, b] = this.#terms.runtime.random(2) as Uint8Array & [number, number];
    this.#timer = setTimeout(() => void this.#connect(), atLeastMs + (ceiling * (a * 256 + b)) / 65_536);
  }
}

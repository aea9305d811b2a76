/** For tests: the key directory on a free port of 127.0.0.1 over a memory store. */

import { createTokenSigner, createTokenVerifier, type TokenSigner } from '@sealwire/access/tokens';
import { openMemoryBus } from '@sealwire/bus/memory';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { Listening } from '@sealwire/service/listen';
import { createLog } from '@sealwire/service/log';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { listenOnLoopback, VERSION } from '@sealwire/service/testing/loopback';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import {
  decodeAnswer,
  encodeRequest,
  LIME_CONTENT_TYPE,
  type LimeAnswer,
  type LimeRequest,
  type ServedSuite,
} from '@sealwire/wire/lime-server';
import { decodeNodeMessage, NODES_CHANNEL, type NodeMessage } from '@sealwire/wire/node-messages';
import type { DirectorySettings } from '../settings.ts';
import { type DirectoryDeps, startDirectory } from '../start.ts';
import type { TestDevice } from './device.ts';
import { UNLIMITED } from './unlimited.ts';

export const crypto = nodeCrypto();
const ORIGIN = 'https://chat.example.org';
export const APP_PASSWORD_KEY = crypto.sha256(Buffer.from('app password key'));

export interface Fixture {
  readonly listening: Listening;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: string[];
  readonly announced: NodeMessage[];
  readonly clock: { now: number };
  readonly signer: TokenSigner;
  /** `Authorization` and `From` of that device. */
  headersOf(device: TestDevice): Promise<Record<string, string>>;
  /** One LIME request of that device, decoded; throws when the status is not 200. */
  lime(device: TestDevice, request: LimeRequest): Promise<LimeAnswer>;
  /** The same with bytes of any kind. */
  limeRaw(
    body: Uint8Array,
    headers: Record<string, string>,
    method?: string,
  ): Promise<{ status: number; headers: Headers; body: Buffer }>;
  /** The bundles of these device ids. */
  bundles(
    device: TestDevice,
    suite: ServedSuite,
    ...ids: string[]
  ): Promise<(LimeAnswer & { kind: 'peerBundle' })['peers']>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json(method: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; json: any }>;
  close(): Promise<void>;
}

export async function startFixture(
  settings: Partial<DirectorySettings> = {},
  others: Partial<DirectoryDeps> = {},
): Promise<Fixture> {
  const store = others.store ?? openMemoryStore();
  const clock = { now: 1_800_000_000_000 };
  const now = () => clock.now;
  const lines: string[] = [];
  const log = createLog({ server: 'directory', level: 'debug', now, write: (line) => lines.push(line) });
  const metrics = createMetrics();
  const bus = openMemoryBus();
  const announced: NodeMessage[] = [];
  await bus.subscribe(NODES_CHANNEL, (message) => announced.push(decodeNodeMessage(message)));
  const signer = createTokenSigner({ seed: crypto.sha256(Buffer.from('token key')), issuer: ORIGIN, now });
  const tokens = createTokenVerifier({ jwks: signer.jwks(), issuer: ORIGIN, now });
  const door = await startDirectory({
    store,
    bus,
    crypto,
    now,
    log,
    metrics,
    settings: { ...UNLIMITED, ...settings },
    tokens,
    random: seededRandom('directory'),
    appPasswordKey: APP_PASSWORD_KEY,
    version: VERSION,
    ...others,
  });
  const listening = await listenOnLoopback({ server: 'directory', door, log, metrics, now });

  async function headersOf(device: TestDevice) {
    const { token } = await signer.sign(device.id, ['directory']);
    return { authorization: `Bearer ${token}`, from: device.id, 'content-type': LIME_CONTENT_TYPE };
  }

  async function limeRaw(body: Uint8Array, headers: Record<string, string>, method = 'POST') {
    const init = method === 'GET' || method === 'HEAD' ? { method, headers } : { method, headers, body };
    const response = await fetch(`${listening.url}/lime`, init as RequestInit);
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  }

  async function lime(device: TestDevice, request: LimeRequest): Promise<LimeAnswer> {
    const { status, body } = await limeRaw(encodeRequest(request), await headersOf(device));
    if (status !== 200) throw new Error(`status ${status}: ${body}`);
    return decodeAnswer(body, request.suite);
  }

  return {
    listening,
    store,
    metrics,
    log: lines,
    announced,
    clock,
    signer,
    headersOf,
    lime,
    limeRaw,
    async bundles(device, suite, ...devices) {
      const answer = await lime(device, { kind: 'getPeerBundle', suite, devices });
      if (answer.kind !== 'peerBundle') throw new Error(JSON.stringify(answer));
      return answer.peers;
    },
    async json(method, path, body) {
      const init =
        body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(listening.url + path, { method, ...init });
      const text = await response.text();
      return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
    },
    async close() {
      await listening.close();
      await bus.close();
      await store.close();
    },
  };
}

/** For tests: the API on a free port of 127.0.0.1 over a memory store, with a clock and a randomness of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileBlobs } from '@sealwire/blobs/files';
import type { Blobs } from '@sealwire/blobs/port';
import { openMemoryBus } from '@sealwire/bus/memory';
import { nodeCrypto } from '@sealwire/crypto/node';
import type { RandomBytes } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { Listening } from '@sealwire/service/listen';
import { createLog } from '@sealwire/service/log';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { listenOnLoopback, VERSION } from '@sealwire/service/testing/loopback';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import { LIMITS } from '@sealwire/wire/limits';
import { decodeNodeMessage, NODES_CHANNEL, type NodeMessage } from '@sealwire/wire/node-messages';
import { RESETS_PATH, type ResetCode } from '../resets/reset-codes.ts';
import type { ApiSettings } from '../settings.ts';
import { type ApiDeps, startApi } from '../start.ts';
import { type Person, person } from './person.ts';

export const ORIGIN = 'https://chat.example.org';
export const crypto = nodeCrypto();

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface Fixture {
  readonly listening: Listening;
  readonly store: Store;
  /** In a folder of its own, unless the test gave others. */
  readonly blobs: Blobs;
  readonly metrics: Metrics;
  readonly log: string[];
  readonly announced: NodeMessage[];
  readonly random: RandomBytes;
  readonly clock: { now: number };
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Makes an account and logs its device in. */
  member(name: string): Promise<{ person: Person; token: string; auth: Record<string, string> }>;
  login(somebody: Person): Promise<Answer>;
  /** What an administrator's order answers: over the socket of the machine, or by a token. Rejects with a `Problem`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  order(path: string, body?: object, token?: string): Promise<any>;
  /** As the operator makes one by `reset-account`. */
  resetCode(name: string, days?: number): Promise<ResetCode>;
  close(): Promise<void>;
}

export async function startFixture(
  settings: Partial<ApiSettings> = {},
  others: Partial<ApiDeps> = {},
): Promise<Fixture> {
  const store = others.store ?? openMemoryStore();
  const clock = { now: 1_800_000_000_000 };
  const now = () => clock.now;
  const lines: string[] = [];
  const log = createLog({ server: 'api', level: 'debug', now, write: (line) => lines.push(line) });
  const metrics = createMetrics();
  const bus = openMemoryBus();
  const announced: NodeMessage[] = [];
  await bus.subscribe(NODES_CHANNEL, (message) => announced.push(decodeNodeMessage(message)));
  const random = seededRandom('api');
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-api-'));
  const blobs = others.blobs ?? (await openFileBlobs({ folder }));
  const door = await startApi({
    store,
    bus,
    blobs,
    crypto,
    random,
    now,
    log,
    metrics,
    settings: {
      DOMAIN: 'example.org',
      PUBLIC_ORIGIN: ORIGIN,
      TRUSTED_PROXIES: [],
      GATE: 'open',
      MAIL_URL: undefined,
      MAIL_FROM: undefined,
      MAIL_DOMAINS: [],
      MAILS_PER_ADDRESS: 0,
      MAILS_PER_RECIPIENT: 0,
      ACCOUNTS_PER_ADDRESS: 0,
      OTHER_ORIGINS: [],
      LOGINS_PER_ADDRESS: 0,
      LOGINS_PER_DEVICE: 0,
      DIGEST_REALM: undefined,
      DIGEST_MD5: 'off',
      WRONG_PASSWORDS_PER_ADDRESS: 0,
      WRONG_PASSWORDS_PER_ACCOUNT: 0,
      NEW_APP_PASSWORDS_PER_ACCOUNT: 0,
      LINKS_PER_ADDRESS: 0,
      LINKS_PER_ACCOUNT: 0,
      ATTACHMENT_BYTES: LIMITS.attachmentBytes.value,
      ATTACHMENT_BYTES_PER_ACCOUNT: LIMITS.attachmentBytesPerAccount.value,
      ATTACHMENT_LIFE_DAYS: 30,
      NEW_ATTACHMENTS_PER_ACCOUNT: 0,
      CONTACT_CHANGES_PER_ACCOUNT: 0,
      ...settings,
    },
    tokenKey: random(32),
    appPasswordKey: random(32),
    version: VERSION,
    ...others,
  });
  const listening = await listenOnLoopback({ server: 'api', door, log, metrics, now });

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const raw = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await fetch(listening.url + path, {
      method,
      headers: { ...(raw === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(raw === undefined ? {} : { body: raw }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  // biome-ignore lint/suspicious/noExplicitAny: see `Fixture.order`
  async function order(path: string, body: object = {}, token?: string): Promise<any> {
    const authorization = token && `Bearer ${token}`;
    return door.admin![path]!(body, token === undefined ? { via: 'socket' } : { via: 'address', authorization });
  }

  async function login(somebody: Person): Promise<Answer> {
    const { json } = await call('POST', '/v1/login/challenge', { device: somebody.device });
    return call('POST', '/v1/login/token', somebody.answer(ORIGIN, json.challenge));
  }

  return {
    listening,
    store,
    order,
    resetCode: (name, days = 1) => order(RESETS_PATH, { name, days }),
    blobs,
    metrics,
    log: lines,
    announced,
    random,
    clock,
    call,
    login,
    async member(name) {
      const somebody = person(crypto, name);
      const created = await call('POST', '/v1/accounts', somebody.creation());
      if (created.status !== 201) throw new Error(`${created.status} ${created.text}`);
      const { json } = await login(somebody);
      return { person: somebody, token: json.token, auth: { authorization: `Bearer ${json.token}` } };
    },
    async close() {
      await listening.close();
      await bus.close();
      await rm(folder, { recursive: true, force: true });
      await store.close();
    },
  };
}

/**
 * API, key directory and relay behind one port of the loopback, as in solo: real HTTP, real sockets, embedded store and bus.
 * The port is the same after a restart, so that clients find their server again.
 */

import { createTokenSigner, createTokenVerifier } from '@sealwire/access/tokens';
import { SLOW_ROUTES, startApi } from '@sealwire/api/start';
import type { Blobs } from '@sealwire/blobs/port';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { MemoryCounters } from '@sealwire/bus/memory-counters';
import type { Bus } from '@sealwire/bus/port';
import { freePort } from '@sealwire/bus/testing/free-port';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { startDirectory } from '@sealwire/directory/start';
import { UNLIMITED } from '@sealwire/directory/testing/unlimited';
import { DEFAULT_SETTINGS, type RelaySettings, startRelay } from '@sealwire/relay/start';
import { trustedProxies } from '@sealwire/service/client-address';
import { createHealth } from '@sealwire/service/health';
import { type Listening, listen } from '@sealwire/service/listen';
import { silentLog } from '@sealwire/service/log';
import { createMetrics, type Metrics } from '@sealwire/service/metrics';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { LIMITS } from '@sealwire/wire/limits';
import { inTurns } from './several-relays.ts';

const HOST = '127.0.0.1';
const VERSION = '0.0.0-test';

export interface ConstellationOptions {
  /** Default: in memory. The caller's to close. */
  readonly store?: Store;
  readonly bus?: Bus;
  /** Default: no attachments. The caller's to close. */
  readonly blobs?: Blobs;
  readonly now?: () => number;
  readonly gate?: 'open' | 'invitation';
  /** By which the directory signs, asked for at each start; default: it signs nothing. */
  readonly signingKey?: () => Uint8Array | undefined;
  /** Of pages that may call it. */
  readonly allowedOrigins?: readonly string[];
  /** On top of no limits: its domain, whom it asks of other ones, and certificates of accounts. */
  readonly directory?: Partial<Pick<typeof UNLIMITED, 'DOMAIN' | 'PEER_DIRECTORIES' | 'ACCOUNT_CERTS_FILE'>>;
  /** On top of the defaults, with the limits of messages per pair and per recipient switched off. */
  readonly relay?: Partial<RelaySettings>;
  /** How many nodes its relay has, on one store and one bus; default: one. Sockets go to them in turns. */
  readonly relays?: number;
}

export interface Constellation {
  readonly origin: string;
  readonly domain: string;
  readonly store: Store;
  /** Stops listening; sockets are drained. */
  stop(): Promise<void>;
  /** Listens again on the same port: a node that came back, or one that was given another `store`, as after a restore. */
  start(store?: Store): Promise<void>;
}

export async function startConstellation(options: ConstellationOptions = {}): Promise<Constellation> {
  const { allowedOrigins = [] } = options;
  let store = options.store ?? openMemoryStore();
  const bus = options.bus ?? openMemoryBus(new MemoryHub());
  const port = await freePort();
  const origin = `http://${HOST}:${port}`;
  const tokenKey = systemRandom(32);
  const appPasswordKey = systemRandom(32);
  let listening: Listening | undefined = await listenOn(port);

  async function listenOn(at: number): Promise<Listening> {
    const crypto = nodeCrypto();
    const now = options.now ?? Date.now;
    const metrics = createMetrics();
    const counters = new MemoryCounters(now);
    const common = { random: systemRandom, now, log: silentLog, metrics, version: VERSION };
    const shared = { store, bus, counters, crypto, ...common };
    const settings = {
      ...UNLIMITED,
      ...options.directory,
      PUBLIC_ORIGIN: origin,
      GATE: options.gate ?? 'open',
      MAIL_DOMAINS: [],
      MAILS_PER_ADDRESS: 0,
      MAILS_PER_RECIPIENT: 0,
      ACCOUNTS_PER_ADDRESS: 0,
      OTHER_ORIGINS: [],
      LOGINS_PER_ADDRESS: 0,
      LOGINS_PER_DEVICE: 0,
      NEW_APP_PASSWORDS_PER_ACCOUNT: 0,
      LINKS_PER_ADDRESS: 0,
      LINKS_PER_ACCOUNT: 0,
      ATTACHMENT_BYTES: LIMITS.attachmentBytes.value,
      ATTACHMENT_BYTES_PER_ACCOUNT: LIMITS.attachmentBytesPerAccount.value,
      ATTACHMENT_LIFE_DAYS: 30,
      NEW_ATTACHMENTS_PER_ACCOUNT: 0,
      CONTACT_CHANGES_PER_ACCOUNT: 0,
    };
    const { jwks } = createTokenSigner({ seed: tokenKey, issuer: origin, now });
    const tokens = createTokenVerifier({ jwks: jwks(), issuer: origin, now });
    const api = await startApi({ ...shared, blobs: options.blobs, settings, tokenKey, appPasswordKey });
    const directory = await startDirectory({
      ...shared,
      settings,
      tokens,
      appPasswordKey,
      signingKey: options.signingKey?.(),
    });
    const node = (metrics: Metrics) =>
      startRelay({
        ...{ ...shared, metrics, tokens },
        nodeId: `node-${encodeBase64url(systemRandom(12))}`,
        settings: {
          ...{ ...DEFAULT_SETTINGS, messagesPerPair: undefined, messagesPerRecipient: undefined, allowedOrigins },
          ...options.relay,
        },
        proxies: trustedProxies([]),
      });
    const others = Array.from({ length: (options.relays ?? 1) - 1 }, createMetrics);
    const relay = inTurns(await Promise.all([metrics, ...others].map(node)));
    return listen({
      address: { host: HOST, port: at },
      routes: [
        { prefix: '/', door: api },
        ...SLOW_ROUTES.map((route) => ({ ...route, door: api })),
        { prefix: '/lime', door: directory },
        { prefix: '/directory', door: directory },
        { prefix: DEFAULT_SETTINGS.path, door: relay },
      ],
      health: createHealth({
        server: 'constellation',
        version: VERSION,
        ready: async () => void (await Promise.all([api.ready(), directory.ready(), relay.ready()])),
        metrics,
        log: silentLog,
        now,
      }),
      log: silentLog,
      metrics,
      connectionsPerAddress: 0,
      allowedOrigins,
      proxies: trustedProxies([]),
    });
  }

  return {
    origin,
    domain: options.directory?.DOMAIN ?? UNLIMITED.DOMAIN,
    get store() {
      return store;
    },
    async stop() {
      const closing = listening;
      listening = undefined;
      await closing?.close();
    },
    async start(other = store) {
      store = other;
      listening ??= await listenOn(port);
    },
  };
}

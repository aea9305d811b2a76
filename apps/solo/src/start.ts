/** The three servers behind one port of one process: API, key directory and relay share a store, a bus, a log and metrics. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createTokens } from '@sealwire/access/tokens';
import type { BLOBS_SETTINGS } from '@sealwire/api/settings';
import { openGateMailer, SLOW_ROUTES, startApi } from '@sealwire/api/start';
import type { Blobs } from '@sealwire/blobs/port';
import type { Counters } from '@sealwire/bus/counters';
import type { Bus } from '@sealwire/bus/port';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { openNesProvider, startDirectory } from '@sealwire/directory/start';
import { relaySettings } from '@sealwire/relay/config';
import { startRelay } from '@sealwire/relay/start';
import { trustedProxies } from '@sealwire/service/client-address';
import { DiskWatch } from '@sealwire/service/disk-watch';
import { createHealth } from '@sealwire/service/health';
import { type Listening, listen } from '@sealwire/service/listen';
import type { Log } from '@sealwire/service/log';
import type { Metrics } from '@sealwire/service/metrics';
import { basePathOf, originOf } from '@sealwire/service/public-origin';
import type { ListenAddress } from '@sealwire/service/settings';
import { tlsFilesOf } from '@sealwire/service/tls-files';
import type { Tracing } from '@sealwire/service/tracing';
import type { Store } from '@sealwire/store/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { SoloSettings } from './settings.ts';

export { type SoloSettings, soloSettings } from './settings.ts';

export interface SoloDeps {
  /** In `/version` and before the random part of the node id; not said: `solo`. */
  readonly name?: string;
  readonly settings: Omit<SoloSettings, 'DATA_DIR' | keyof typeof BLOBS_SETTINGS>;
  readonly store: Store;
  readonly bus: Bus;
  /** Undefined: no attachments. */
  readonly blobs?: Blobs | undefined;
  /** On which the embedded store and the files lie; none: they are elsewhere. */
  readonly folders?: { readonly store?: string | undefined; readonly blobs?: string | undefined };
  /** Where limiters count; in this process alone unless given. */
  readonly counters?: Counters | undefined;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined: no traces are made. */
  readonly tracing?: Tracing | undefined;
  /** Ed25519 seed, 32 bytes: signs the access tokens. */
  readonly tokenKey: Uint8Array;
  /** 32 bytes; undefined: no app passwords. */
  readonly appPasswordKey?: Uint8Array | undefined;
  /** Ed25519, 32 bytes: signs what the key directory answers; undefined: nothing is signed. */
  readonly signingKey?: Uint8Array | undefined;
  readonly version: string;
  /** Where mails go when nothing else is said; undefined: nowhere. */
  readonly mailFolder?: string | undefined;
  /** Where the key of the NES provider is kept if none is given; undefined: one must be. */
  readonly nesKeyFile?: string | undefined;
  /** Where it listens for its administrator; undefined: nowhere. */
  readonly adminSocket?: string | undefined;
  /** Where it does so for tokens; undefined: nowhere. */
  readonly adminAddress?: ListenAddress | undefined;
}

export interface Solo {
  readonly listening: Listening;
  /** Where clients reach it. */
  readonly origin: string;
  /** Drains and closes; store, bus and blobs stay open, they are the caller's. */
  stop(): Promise<void>;
}

/** Resolves when the server listens. Throws `ConfigError` when the address cannot be had. */
export async function startSolo(deps: SoloDeps): Promise<Solo> {
  const { name = 'solo', store, bus, crypto, random, now, log, metrics } = deps;
  const { tokenKey, appPasswordKey, signingKey, version, adminSocket } = deps;
  const directoryKey = signingKey && deps.crypto.ed25519.publicKey(signingKey);
  const address = await withPort(deps.settings.LISTEN);
  const tls = tlsFilesOf(deps.settings);
  const origin = deps.settings.PUBLIC_ORIGIN ?? `${tls ? 'https' : 'http'}://localhost:${address.port}`;
  const settings = { ...deps.settings, PUBLIC_ORIGIN: origin };
  const issuer = originOf(origin);
  const tokens = createTokens({ seed: tokenKey, issuer, now });
  const disks = new DiskWatch({
    folders: deps.folders ?? {},
    uploadsStopBelow: settings.UPLOADS_STOP_BELOW_BYTES,
    messagesStopBelow: settings.MESSAGES_STOP_BELOW_BYTES,
    now,
    log,
    metrics,
  });
  const shared = { disks, store, bus, counters: deps.counters, crypto, random, now, log, metrics };

  const mailer = await openGateMailer(settings, shared, deps.mailFolder);
  const api = await startApi({
    ...shared,
    blobs: deps.blobs,
    settings,
    tokenKey,
    tokens,
    appPasswordKey,
    directoryKey,
    mailer,
    version,
  });
  const nesFiles = { keyFile: deps.nesKeyFile, mailFolder: deps.mailFolder };
  const nes = await openNesProvider(settings, { ...shared, ...nesFiles });
  const directory = await startDirectory({
    ...shared,
    settings,
    tokens: tokens.verifier,
    appPasswordKey,
    signingKey,
    nes,
    version,
  });
  const relayed = relaySettings(settings);
  const proxies = trustedProxies(settings.TRUSTED_PROXIES);
  const relay = await startRelay({
    ...shared,
    tokens: tokens.verifier,
    // A prefix: base64url may begin with what a node id must not begin with.
    nodeId: `${name}-${encodeBase64url(random(12))}`,
    settings: relayed,
    proxies,
  });
  const doors = [api, directory, relay];

  const listening = await listen({
    address,
    routes: [
      { prefix: '/', door: api },
      ...SLOW_ROUTES.map((route) => ({ ...route, door: api })),
      { prefix: '/lime', door: directory },
      { prefix: settings.LIME_PATH, door: directory, exactly: settings.LIME_PATH === '/' },
      { prefix: '/directory', door: directory },
      ...(nes ? [{ prefix: '/users', door: directory }] : []),
      { prefix: relayed.path, door: relay },
    ],
    health: createHealth({
      server: name,
      version,
      notes: directory.notes,
      ready: async () => void (await Promise.all(doors.map((door) => door.ready()))),
      metrics,
      log,
      now,
    }),
    log,
    metrics,
    basePath: basePathOf(origin),
    tls,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    connectionsPerAddress: settings.CONNECTIONS_PER_ADDRESS,
    proxies,
    tracing: deps.tracing,
    adminSocket,
    adminAddress: deps.adminAddress,
    metricsAddress: settings.METRICS_LISTEN,
  });
  return { listening, origin, stop: () => listening.close() };
}

/** The servers must know their public origin before they listen, so a port that the system chooses is chosen first. */
async function withPort(address: ListenAddress): Promise<ListenAddress> {
  if (address.port !== 0) return address;
  const probe = createServer().listen(0, address.host);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return { host: address.host, port };
}

/** The frame of a server that runs as a process of its own: store and bus by their URLs, one door, one port, and the orderly end of all. */
import type { Counters } from '@sealwire/bus/counters';
import type { z } from 'zod';
import { trustedProxies } from '../http/client-address.ts';
import type { HttpDoor, SocketDoor } from '../http/http-door.ts';
import { listen } from '../http/listen.ts';
import { basePathOf } from '../http/public-origin.ts';
import type { Route } from '../http/routes.ts';
import { tlsFilesOf } from '../http/tls-files.ts';
import { type BusNews, busNews, type RegionNews, regionNews } from '../observe/bus-reports.ts';
import { createHealth } from '../observe/health.ts';
import { limiterNews } from '../observe/limiter-reports.ts';
import { observedStore } from '../observe/observed-ports.ts';
import { type StoreNews, storeNews } from '../observe/store-reports.ts';
import { type TraceableBus, tracedBus } from '../observe/traced-bus.ts';
import { type BootContext, boot, openOrExplain } from './boot.ts';
import type { ListenAddress, listenAddress, SERVER_SETTINGS } from './settings.ts';

/** A schema with `LISTEN`, all of `SERVER_SETTINGS` and whatever else the server is told. */
export type ServerSchema = z.ZodObject<typeof SERVER_SETTINGS & { readonly LISTEN: ReturnType<typeof listenAddress> }>;

interface Closable {
  close(): Promise<void>;
}

interface Reaching extends Closable, TraceableBus {
  readonly reach: 'process' | 'nodes';
}

export interface StandaloneServer<S extends ServerSchema, Store extends Closable, Bus extends Reaching> {
  readonly name: string;
  /** Of the app's main: `import.meta.url`; its package.json holds the version. */
  readonly main: string;
  readonly schema: S;
  /** See `Server.commands`. */
  readonly commands?: readonly string[];
  readonly now: () => number;
  readonly openStore: (
    url: string,
    terms: { readonly whenDamaged: 'continue' | 'stop'; readonly reports: StoreNews },
  ) => Promise<Store>;
  readonly openBus: (url: string, reports: BusNews) => Promise<Bus>;
  /** For a server that listens to others: by its `BUS_PEERS`, the bus over all regions. Not said: it only speaks, and that needs no more than its own. */
  readonly regions?: {
    readonly peersOf: (settings: z.output<S>) => string;
    readonly join: (own: Bus, url: string, peers: string, reports: RegionNews) => Promise<Bus>;
  };
  /** By `BUS_URL` too: where limiters count. Not said: the server has none that other processes should know of. */
  readonly openCounters?: (
    url: string,
    options: { readonly now: () => number; readonly onShared: ReturnType<typeof limiterNews> },
  ) => Promise<Counters>;
  /** What it means for this server that a bus within the process brings no news of others: a line of the log. */
  readonly withoutNews: string;
  /** Where it listens for its administrator; not said: nowhere. */
  readonly adminSocket?: (settings: z.output<S>) => string | undefined;
  /** Where it does so for tokens; not said: nowhere. */
  readonly adminAddress?: (settings: z.output<S>) => ListenAddress | undefined;
  /** The paths of the door; all of them unless given. */
  readonly prefix?: string;
  /** Those among them whose bodies may come for longer. */
  readonly slowRoutes?: readonly Omit<Route, 'door'>[];
  start(
    context: BootContext<S> & { readonly store: Store; readonly bus: Bus; readonly counters: Counters | undefined },
  ): Promise<HttpDoor | SocketDoor>;
}

/** Runs `server` until a signal ends it. Resolves when it listens (or has shown its configuration). */
export function bootServer<S extends ServerSchema, Store extends Closable, Bus extends Reaching>(
  server: StandaloneServer<S, Store, Bus>,
): Promise<void> {
  const { name, prefix = '/', slowRoutes = [] } = server;
  return boot({
    ...server,
    async run(context) {
      const { version, log, metrics, now, tracing } = context;
      const settings: z.output<ServerSchema> = context.settings;
      const terms = { whenDamaged: settings.WHEN_STORE_DAMAGED, reports: storeNews(log, metrics) };
      const opened = await openOrExplain('STORE_URL', () => server.openStore(settings.STORE_URL, terms));
      const store = observedStore(opened, metrics, tracing);
      const { regions } = server;
      const own = await openOrExplain('BUS_URL', () => server.openBus(settings.BUS_URL, busNews(log, metrics)));
      const peers = regions?.peersOf(context.settings) ?? '';
      const link = regions
        ? await openOrExplain('BUS_PEERS', () => regions.join(own, settings.BUS_URL, peers, regionNews(log, metrics)))
        : own;
      const bus = tracedBus(link, tracing);
      if (bus.reach === 'process') log.warn('bus-is-in-process', { setting: 'BUS_URL', reason: server.withoutNews });
      const counters = await openOrExplain('BUS_URL', async () =>
        server.openCounters?.(settings.BUS_URL, { now, onShared: limiterNews(log, metrics) }),
      );
      const door = await server.start({ ...context, store, bus, counters });
      const listening = await listen({
        address: settings.LISTEN,
        routes: [{ prefix, door }, ...slowRoutes.map((route) => ({ ...route, door }))],
        health: createHealth({
          server: name,
          version,
          notes: door.notes,
          ready: () => door.ready(),
          metrics,
          log,
          now,
        }),
        log,
        metrics,
        basePath: basePathOf(settings.PUBLIC_ORIGIN),
        tls: tlsFilesOf(settings),
        allowedOrigins: settings.ALLOWED_ORIGINS,
        connectionsPerAddress: settings.CONNECTIONS_PER_ADDRESS,
        proxies: trustedProxies(settings.TRUSTED_PROXIES),
        tracing,
        adminSocket: server.adminSocket?.(context.settings),
        adminAddress: server.adminAddress?.(context.settings),
        metricsAddress: settings.METRICS_LISTEN,
      });
      return {
        url: listening.url,
        reload: listening.reloadCertificate,
        async stop() {
          await listening.close();
          await counters?.close();
          await bus.close();
          await store.close();
        },
      };
    },
  });
}

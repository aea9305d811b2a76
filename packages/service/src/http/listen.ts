/**
 * The node:http server in front of one door or several: routing by path prefix, upgrades, limits against slow and greedy peers
 * (case H04), start errors in one line, and an orderly end.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { systemRandom } from '@sealwire/crypto/random';
import type { ListenAddress } from '../boot/settings.ts';
import { type Health, METRICS_PATH } from '../observe/health.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Tracing } from '../observe/tracing.ts';
import { type AdminListening, listenForAdmin } from './admin-address.ts';
import { listenOnAdminSocket } from './admin-socket.ts';
import type { TrustedProxies } from './client-address.ts';
import { capConnections } from './connection-cap.ts';
import { crossOrigin } from './cross-origin.ts';
import { failureProblem } from './failure.ts';
import { listenError } from './listen-error.ts';
import { listenForMetrics, type MetricsListening } from './metrics-address.ts';
import { Problem } from './problem.ts';
import { withoutBasePath } from './public-origin.ts';
import { cutOff, refuse, refuseAndClose, refuseSocket } from './refusals.ts';
import { leaveRequests, paceRequests } from './request-flow.ts';
import { headFault, upgradeHeadFault } from './request-head.ts';
import { createRequestNotes, nameRoute, requestFields, requestIds } from './request-notes.ts';
import { pathOf, type Route, routeFor } from './routes.ts';
import { certificateEnd, readTls, type TlsFiles, watchTls } from './tls-files.ts';

/** Reasons: a peer that needs longer to say what it wants than `headersMs` wants nothing; nginx keeps idle connections for 60 s. */
const HTTP_LIMITS = {
  headersMs: 10_000,
  /** From the end of the headers to the end of the body, on a route that has no time of its own. */
  requestMs: 10_000,
  checkEveryMs: 1_000,
  keepAliveMs: 65_000,
  headerBytes: 16 * 1024,
  headerCount: 64,
  closeMs: 10_000,
} as const;

const SWEEP_MS = 50;

export interface ListenOptions {
  readonly address: ListenAddress;
  /** The longest matching prefix wins. */
  readonly routes: readonly Route[];
  readonly health: Health;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The path under which all routes are, such as `/chat`: taken off before a door sees the request. */
  readonly basePath?: string;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Of pages that may read what the doors answer (`cross-origin.ts`); none: no page of another origin. */
  readonly allowedOrigins?: readonly string[];
  /** See `SERVER_SETTINGS.CONNECTIONS_PER_ADDRESS`; 0 or absent: no limit. */
  readonly connectionsPerAddress?: number;
  readonly proxies?: TrustedProxies;
  /** Undefined: no traces are made. */
  readonly tracing?: Tracing | undefined;
  /** See `RequestNotesDeps.newId`. */
  readonly newRequestId?: () => string;
  /** The socket of the administrator, with what all doors have for it; undefined: none. */
  readonly adminSocket?: string | undefined;
  /** The same by tokens; undefined: nowhere. */
  readonly adminAddress?: ListenAddress | undefined;
  /** Where the pages of `health` are, too, and its metrics only; undefined: nowhere else. */
  readonly metricsAddress?: ListenAddress | undefined;
  /** Shorter times for tests. */
  readonly limits?: { readonly [Limit in keyof typeof HTTP_LIMITS]?: number };
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** `http://HOST:PORT` (or `https:`) of the socket itself. */
  readonly url: string;
  /** Of the administrator's door, if it has an address. */
  readonly adminUrl: string | undefined;
  /** Of the metrics, if they have an address of their own. */
  readonly metricsUrl: string | undefined;
  /** Reads the certificate again; undefined without TLS. */
  readonly reloadCertificate: (() => void) | undefined;
  /** Not ready; drains sockets; lets requests finish; closes the doors. Idempotent. */
  close(): Promise<void>;
}

/** Throws `ConfigError` with the fix when the address cannot be had, or the certificate not be used. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const routes = [...options.routes].sort((a, b) => b.prefix.length - a.prefix.length);
  const doors = [...new Set(routes.map((route) => route.door))];
  const { basePath = '', tls, metricsAddress, adminAddress } = options;
  const context = tls && readTls(tls);
  const serverLimits = {
    headersTimeout: limits.headersMs,
    // One for all routes: `cutOff` has one for each.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.checkEveryMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headerBytes,
  };
  const server = serverFor(context, serverLimits);
  server.maxHeadersCount = limits.headerCount;
  capConnections(server, {
    perAddress: options.connectionsPerAddress ?? 0,
    proxies: options.proxies,
    metrics: options.metrics,
  });

  const forPages = crossOrigin(options.allowedOrigins ?? []);
  paceRequests(server);

  let adminDoor: AdminListening | undefined;
  const certificate = tls && context && watchTls(tls, context, useCertificate, options);
  if (context) options.metrics.certificateEnd.set(certificateEnd(context));

  function useCertificate(next: SecureContextOptions): void {
    (server as TlsServer).setSecureContext(next);
    adminDoor?.renew?.(next);
    options.metrics.certificateEnd.set(certificateEnd(next));
  }

  /** The route, whose door sees the request as if there were no base path. */
  function routeOf(request: IncomingMessage): Route | undefined {
    const target = withoutBasePath(request.url ?? '/', basePath);
    if (target === undefined) return undefined;
    request.url = target;
    return routeFor(routes, pathOf(target));
  }

  function isForOperator(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    if (metricsAddress && path === METRICS_PATH) return false;
    const isHandled = options.health.handle(request, response, path);
    if (isHandled) nameRoute(request, path);
    return isHandled;
  }

  const answers = new WeakMap<Duplex, ServerResponse>();
  const newId = options.newRequestId ?? requestIds(Buffer.from(systemRandom(4)).toString('hex'));
  const notes = createRequestNotes({ ...options, newId });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answers.set(request.socket, response);
    notes.during(request, response, () => serve(request, response));
  });

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const fault = headFault(request, limits.headerCount);
    if (fault) {
      nameRoute(request, 'malformed');
      return void refuseAndClose(response, fault);
    }
    const asked = pathOf(request.url);
    const route = routeOf(request);
    cutOff(request, response, route?.requestMs ?? limits.requestMs);
    if (route && route.prefix !== '/') nameRoute(request, route.prefix);
    // Where they are asked from, nobody knows of the base path.
    if (isForOperator(request, response, asked)) return;
    if (basePath !== '' && isForOperator(request, response, pathOf(request.url))) return;
    if (forPages(request, response)) return void nameRoute(request, 'preflight');
    if (!route) return void refuse(response, new Problem('not-found'));
    try {
      route.door.handle(request, response);
    } catch (error) {
      refuse(response, failureProblem(error, options, 'http', requestFields(request)));
    }
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    notes.duringUpgrade(request, () => upgrade(request, socket, head));
  });

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const fault = upgradeHeadFault(request, limits.headerCount);
    if (fault) return void refuseSocket(socket, `${fault.status} ${STATUS_CODES[fault.status]}`);
    const route = routeOf(request);
    const door = route?.door;
    if (route && route.prefix !== '/') nameRoute(request, route.prefix);
    if (!door || !('upgrade' in door)) return void refuseSocket(socket, '404 Not Found');
    try {
      door.upgrade(request, socket, leaveRequests(socket as Socket, head));
    } catch (error) {
      const { status } = failureProblem(error, options, 'upgrade', requestFields(request));
      refuseSocket(socket, `${status} ${STATUS_CODES[status]}`);
    }
  }

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // A failed handshake: there is nothing yet over which to answer.
    const handshake = error.code?.startsWith('ERR_SSL_') || error.code?.startsWith('ERR_TLS_');
    if (handshake || error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const answer = answers.get(socket);
    // A fault in the rest of a request that has its answer: two are one too many.
    if (answer?.headersSent && !(answer.shouldKeepAlive && answer.writableFinished)) return void socket.end();
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request';
    refuseSocket(socket, status);
  });

  const commands = Object.assign({}, ...doors.map(({ admin }) => admin));
  const admin =
    options.adminSocket === undefined ? undefined : await listenOnAdminSocket(options.adminSocket, commands, options);

  let metrics: MetricsListening | undefined;
  try {
    adminDoor =
      adminAddress &&
      (await listenForAdmin({ address: adminAddress, commands, notes: options, context, limits: serverLimits }));
    metrics = metricsAddress && (await listenForMetrics(metricsAddress, options.health, serverLimits));
    server.listen(options.address.port, options.address.host);
    await once(server, 'listening').catch((error) => {
      throw listenError(error, 'LISTEN', options.address);
    });
  } catch (error) {
    await Promise.all([admin?.close(), adminDoor?.close(), metrics?.close()]);
    throw error;
  }

  const { port, address, family } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    options.health.drain();
    certificate?.stop();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await Promise.all(doors.map((door) => ('drain' in door ? door.drain() : undefined)));
    // A kept-alive connection becomes idle when its last answer is out; nobody says when.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    const patience = setTimeout(() => server.closeAllConnections(), limits.closeMs);
    await Promise.all([closed, admin?.close(), adminDoor?.close()]);
    clearInterval(sweep);
    clearTimeout(patience);
    await Promise.all(doors.map((door) => door.close()));
    await metrics?.close();
  }

  return {
    host: address,
    port,
    url: `${tls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    adminUrl: adminDoor?.url,
    metricsUrl: metrics?.url,
    reloadCertificate: certificate?.reload,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function serverFor(
  context: SecureContextOptions | undefined,
  limits: ServerOptions & { readonly headersTimeout: number },
): Server | TlsServer {
  if (!context) return createServer(limits);
  return createTlsServer({ ...limits, ...context, handshakeTimeout: limits.headersTimeout });
}

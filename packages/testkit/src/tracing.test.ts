/**
 * One request, seen through three servers: directory, API and relay as servers of their own on one bus, each of which sends its spans to an
 * OTLP collector of the test.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createTokenSigner, createTokenVerifier } from '@sealwire/access/tokens';
import { MemoryHub, openMemoryBus } from '@sealwire/bus/memory';
import { createAnnouncer } from '@sealwire/service/announce';
import { trustedProxies } from '@sealwire/service/client-address';
import { createHealth } from '@sealwire/service/health';
import type { HttpDoor } from '@sealwire/service/http-door';
import { type Listening, listen } from '@sealwire/service/listen';
import { type Log, silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { observedStore } from '@sealwire/service/observed-ports';
import { openOtlpTracing } from '@sealwire/service/otlp-tracing';
import { nameRoute } from '@sealwire/service/request-notes';
import { tracedBus } from '@sealwire/service/traced-bus';
import type { Tracing } from '@sealwire/service/tracing';
import { openMemoryStore } from '@sealwire/store/memory';
import { type DeviceId, parseAccountAddress } from '@sealwire/wire/ids';
import { decodeNodeMessage, NODES_CHANNEL } from '@sealwire/wire/node-messages';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const DEVICE = 'sip:alice@example.org;gr=urn:uuid:6c3b1c1e-2d1f-4a6e-9a5e-0d7c6b5a4f3e' as DeviceId;
const ALICE = parseAccountAddress('sip:alice@example.org');
const ORIGIN = 'https://chat.example.org';
const now = () => 1_800_000_000_000;

interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Takes OTLP/HTTP in JSON. */
async function startCollector(status = 200) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await textOf(request));
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await listening(server);
  const spans = (): Span[] =>
    bodies.flatMap((body) =>
      JSON.parse(body).resourceSpans.flatMap(
        (resource: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }) => {
          const named = resource.resource.attributes.find(({ key }) => key === 'service.name');
          const { stringValue: service } = named!.value as { stringValue: string };
          return resource.scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
        },
      ),
    );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, bodies, spans };
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

function tracingOf(
  server: string,
  url: string,
  { ratio = 0, log = silentLog, metrics = createMetrics() } = {},
): Tracing {
  const tracing = openOtlpTracing({ url, ratio, server, version: '0.1.0', log, metrics });
  closers.push(() => tracing.close());
  return tracing;
}

async function serve(server: string, handle: HttpDoor['handle'], tracing?: Tracing, proxies = ['127.0.0.0/8']) {
  const metrics = createMetrics();
  const door: HttpDoor = { handle, ready: async () => {}, close: async () => {} };
  const health = createHealth({ server, version: '0.1.0', ready: door.ready, metrics, log: silentLog, now });
  const started = await listen({
    address: { host: '127.0.0.1', port: 0 },
    routes: [{ prefix: '/', door }],
    health,
    log: silentLog,
    metrics,
    proxies: trustedProxies(proxies),
    tracing,
  });
  closers.push(() => started.close());
  return started;
}

const ask = ({ url }: Listening, path: string, headers: Record<string, string> = {}) =>
  fetch(url + path, { headers: { connection: 'close', ...headers } }).then((response) => response.arrayBuffer());

/** The API publishes keys; the directory checks a token by them, asks the store, and tells the relay over the bus. */
async function startThree(collector: string, { ratio = 0, proxies = ['127.0.0.0/8'] } = {}) {
  const signer = createTokenSigner({ seed: new Uint8Array(32).fill(7), issuer: ORIGIN, now });
  const traced = (server: string) => tracingOf(server, collector, { ratio });
  const [apiTracing, directoryTracing, relayTracing] = [traced('api'), traced('directory'), traced('relay')];

  const api = await serve(
    'api',
    (request, response) => {
      nameRoute(request, '/v1/.well-known/jwks.json');
      response.setHeader('content-type', 'application/json').end(JSON.stringify(signer.jwks()));
    },
    apiTracing,
  );

  const hub = new MemoryHub();
  const relayBus = tracedBus(openMemoryBus(hub), relayTracing);
  const heard: string[] = [];
  await relayBus.subscribe(NODES_CHANNEL, (message) => heard.push(decodeNodeMessage(message).kind));

  const metrics = createMetrics();
  const store = observedStore(openMemoryStore(), metrics, directoryTracing);
  const announcer = createAnnouncer({ bus: tracedBus(openMemoryBus(hub), directoryTracing), log: silentLog, metrics });
  const tokens = createTokenVerifier({
    jwks: new URL(`${api.url}/v1/.well-known/jwks.json`),
    issuer: ORIGIN,
    now,
    traceparent: () => directoryTracing.current(),
  });
  async function publish(authorization: string): Promise<void> {
    const { device } = await tokens.verify(authorization.slice('Bearer '.length), 'directory');
    await store.devices.find(device);
    await announcer.manifestPublished(ALICE, 2, []);
  }
  const directory = await serve(
    'directory',
    (request, response) => {
      nameRoute(request, '/directory/manifests/:address');
      publish(request.headers.authorization ?? '').then(
        () => response.end(),
        () => response.writeHead(500).end(),
      );
    },
    directoryTracing,
    proxies,
  );
  const { token } = await signer.sign(DEVICE, ['directory']);
  return {
    heard,
    publish: (headers: Record<string, string>) =>
      ask(directory, '/directory/manifests/alice', { authorization: `Bearer ${token}`, ...headers }),
    close: () => Promise.all([apiTracing, directoryTracing, relayTracing].map((tracing) => tracing.close())),
  };
}

describe('a request that a trusted proxy began to trace', () => {
  it('is one trace through directory, API and relay', async () => {
    const collector = await startCollector();
    const three = await startThree(collector.url);
    await three.publish({ traceparent: `00-${TRACE}-${PARENT}-01` });
    await three.close();

    const spans = collector.spans();
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const said = spans.map(({ service, name, parentSpanId = '' }) => {
      const above = byId.get(parentSpanId);
      return `${service}: ${name} below ${above ? `${above.service}: ${above.name}` : parentSpanId}`;
    });
    const request = 'sealwire-directory: GET /directory/manifests/:address';
    expect(said.sort()).toEqual([
      `sealwire-api: GET /v1/.well-known/jwks.json below ${request}`,
      `${request} below ${PARENT}`,
      `sealwire-directory: bus publish below ${request}`,
      `sealwire-directory: store devices.find below ${request}`,
      'sealwire-relay: bus message below sealwire-directory: bus publish',
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(three.heard).toEqual(['devices-changed']);
  });

  it('T206: says nothing of who asked and what for', async () => {
    const collector = await startCollector();
    const three = await startThree(collector.url);
    await three.publish({
      traceparent: `00-${TRACE}-${PARENT}-01`,
      'user-agent': 'alice-phone',
      baggage: 'user=alice',
    });
    await three.close();
    const keys = new Set(collector.spans().flatMap(({ attributes }) => attributes.map(({ key }) => key)));
    expect([...keys].sort()).toEqual(['http.request.method', 'http.response.status_code', 'http.route']);
    expect(collector.bodies.join()).not.toMatch(/alice|127\.0\.0\.1|Bearer|eyJ|pid|hostname/);
  });
});

describe('T207: a trace of a stranger', () => {
  it('T207: is not gone on with, and not passed on', async () => {
    const collector = await startCollector();
    const three = await startThree(collector.url, { proxies: [] });
    await three.publish({ traceparent: `00-${TRACE}-${PARENT}-01` });
    await three.close();
    expect(collector.spans()).toEqual([]);
    expect(three.heard).toEqual(['devices-changed']);
  });

  it.each([
    ['of another version', `cc-${TRACE}-${PARENT}-01`],
    ['without a trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['in capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['with more behind it', `00-${TRACE}-${PARENT}-01-alice`],
  ])('T207: that is %s is none, whoever sends it', async (_, traceparent) => {
    const collector = await startCollector();
    const three = await startThree(collector.url, { ratio: 1 });
    await three.publish({ traceparent });
    await three.close();
    expect(collector.spans().length).toBeGreaterThan(0);
    expect(JSON.stringify(collector.spans())).not.toContain(TRACE);
  });

  it('that is not to be kept is not kept', async () => {
    const collector = await startCollector();
    const three = await startThree(collector.url, { ratio: 1 });
    await three.publish({ traceparent: `00-${TRACE}-${PARENT}-00` });
    await three.close();
    expect(collector.spans()).toEqual([]);
  });
});

it('a collector that takes nothing is told of once, and no request waits for it', async () => {
  const collector = await startCollector(400);
  const events: string[] = [];
  const log: Log = { ...silentLog, warn: (event) => events.push(event) };
  const metrics = createMetrics();
  const tracing = tracingOf('api', collector.url, { ratio: 1, log, metrics });
  const api = await serve('api', (_request, response) => response.end(), tracing);
  await ask(api, '/');
  await tracing.close();
  expect(events).toEqual(['traces-not-sent']);
  expect(await metrics.text()).toContain('sealwire_trace_exports_total{result="failed"} 1');
});

it('a relay that traces nothing hears what comes with a trace', async () => {
  const collector = await startCollector();
  const hub = new MemoryHub();
  const plain = openMemoryBus(hub);
  const heard: string[] = [];
  await plain.subscribe(NODES_CHANNEL, (message) => heard.push(decodeNodeMessage(message).kind));
  const tracing = tracingOf('directory', collector.url);
  const bus = tracedBus(openMemoryBus(hub), tracing);
  const announcer = createAnnouncer({ bus, log: silentLog, metrics: createMetrics() });
  const span = tracing.request('GET', `00-${TRACE}-${PARENT}-01`);
  await span.within(() => announcer.devicesRemoved([DEVICE]));
  span.end({ failed: false });
  await new Promise(setImmediate);
  expect(heard).toEqual(['device-removed']);
});

/**
 * What an operator watches of every server beside what its own work counts (`metrics.ts`): requests, the calls of store and blobs, the bus,
 * clocks, the log, the process itself. Labels are few and of closed lists: a route is its template, a status its number, never an id.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface OperationMetrics {
  readonly httpRequests: Counter<'route' | 'method' | 'status'>;
  readonly httpRequestTime: Histogram<'route'>;
  readonly httpUnderWay: Gauge;
  readonly storeCallTime: Histogram<'call'>;
  readonly storeErrors: Counter<'call' | 'kind'>;
  readonly storeFull: Gauge;
  readonly blobCallTime: Histogram<'call'>;
  readonly blobErrors: Counter<'call' | 'kind'>;
  readonly mails: Counter<'result'>;
  readonly busConnected: Gauge;
  readonly busRegionConnected: Gauge<'region'>;
  readonly busRoundTrip: Histogram;
  readonly busHeard: Counter<'kind'>;
  readonly limitersShared: Gauge;
  readonly relaySessions: Counter;
  readonly relayMessages: Counter<'result'>;
  readonly relayCopies: Counter;
  readonly relayDeliveries: Counter;
  readonly relayUnwritten: Gauge;
  readonly relayNodeClock: Gauge;
  readonly mailboxDepth: Histogram;
  readonly mailExpired: Counter;
  readonly prekeyPool: Histogram;
  readonly certificateEnd: Gauge;
  readonly ready: Gauge;
  readonly build: Gauge<'server' | 'version' | 'node'>;
  readonly logLines: Counter<'level'>;
  readonly logLinesLeftOut: Counter;
  readonly traceExports: Counter<'result'>;
}

/** Of a request: what a person feels begins at a tenth of a second, what the embedded store needs is a few milliseconds. */
const REQUEST_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** Of a call: memory, a disk, a database in the next room, one that is ill. */
const CALL_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

export function createOperationMetrics(registry: Registry): OperationMetrics {
  const registers = [registry];
  return {
    ...requests(registers),
    ...dependencies(registers),
    ...relay(registers),
    ...processes(registers),
    prekeyPool: new Histogram({
      registers,
      name: 'sealwire_prekey_pool_keys',
      help: 'One-time prekeys that a device had left when it looked after its keys, as devices do daily.',
      buckets: [0, 5, 10, 25, 50, 75, 100, 200],
    }),
  };
}

function requests(registers: Registry[]) {
  return {
    httpRequests: new Counter({
      registers,
      name: 'sealwire_http_requests_total',
      help: 'HTTP requests that ended, by template of the route (unknown: none here), method and status (aborted: the client left).',
      labelNames: ['route', 'method', 'status'] as const,
    }),
    httpRequestTime: new Histogram({
      registers,
      name: 'sealwire_http_request_seconds',
      help: 'From the head of a request to the end of its answer; transfers of files take as long as their clients do.',
      labelNames: ['route'] as const,
      buckets: REQUEST_BUCKETS,
    }),
    httpUnderWay: new Gauge({
      registers,
      name: 'sealwire_http_requests_under_way',
      help: 'HTTP requests that are being answered.',
    }),
  };
}

function dependencies(registers: Registry[]) {
  return {
    storeCallTime: new Histogram({
      registers,
      name: 'sealwire_store_call_seconds',
      help: 'Calls of the store; mailboxes.append is the durable write of a batch of messages.',
      labelNames: ['call'] as const,
      buckets: CALL_BUCKETS,
    }),
    storeErrors: new Counter({
      registers,
      name: 'sealwire_store_errors_total',
      help: 'Calls of the store that failed: unavailable (its outcome is unknown), corrupt, other; conflict, limit, not-found are answers.',
      labelNames: ['call', 'kind'] as const,
    }),
    storeFull: new Gauge({
      registers,
      name: 'sealwire_store_full',
      help: '1 while an embedded store refuses writes for lack of disk space.',
    }),
    blobCallTime: new Histogram({
      registers,
      name: 'sealwire_blob_call_seconds',
      help: 'Calls to where files lie; writePart lasts as long as its sender sends.',
      labelNames: ['call'] as const,
      buckets: CALL_BUCKETS,
    }),
    blobErrors: new Counter({
      registers,
      name: 'sealwire_blob_errors_total',
      help: 'Calls to where files lie that failed: unavailable, full, other; incomplete, not-found, refused are answers.',
      labelNames: ['call', 'kind'] as const,
    }),
    mails: new Counter({
      registers,
      name: 'sealwire_mails_total',
      help: 'Mails: sent, refused (that address never gets mail), unavailable (the mail server).',
      labelNames: ['result'] as const,
    }),
    busConnected: new Gauge({
      registers,
      name: 'sealwire_bus_connected',
      help: '1 while this process hears the others over the bus; always 1 on the bus within a process.',
    }),
    busRegionConnected: new Gauge({
      registers,
      name: 'sealwire_bus_region_connected',
      help: '1 while this process hears what is published in that region (BUS_PEERS).',
      labelNames: ['region'],
    }),
    busRoundTrip: new Histogram({
      registers,
      name: 'sealwire_bus_round_trip_seconds',
      help: 'From a relay over the bus to itself, every few seconds: how far behind the bus is.',
      buckets: CALL_BUCKETS,
    }),
    busHeard: new Counter({
      registers,
      name: 'sealwire_bus_messages_heard_total',
      help: 'Messages of other nodes and of ourselves that a relay heard on the bus, by kind.',
      labelNames: ['kind'] as const,
    }),
    limitersShared: new Gauge({
      registers,
      name: 'sealwire_limiters_shared',
      help: '1 while limiters count together with those of other processes, or need not (bus within a process); 0: each allows a budget of its own.',
    }),
  };
}

function relay(registers: Registry[]) {
  return {
    relaySessions: new Counter({
      registers,
      name: 'sealwire_relay_sessions_opened_total',
      help: 'Sockets whose hello was accepted.',
    }),
    relayMessages: new Counter({
      registers,
      name: 'sealwire_relay_messages_total',
      help: 'Messages that reached the mailboxes: accepted, repeated (was accepted before), conflict, full, unknown-device; unavailable (outcome unknown), overloaded (too many waited), device-mismatch (the sender must look at the list).',
      labelNames: ['result'] as const,
    }),
    relayCopies: new Counter({
      registers,
      name: 'sealwire_relay_copies_total',
      help: 'Copies of accepted messages, one a mailbox.',
    }),
    relayDeliveries: new Counter({
      registers,
      name: 'sealwire_relay_deliveries_total',
      help: 'Messages handed over to the socket of a recipient, repeats included.',
    }),
    relayUnwritten: new Gauge({
      registers,
      name: 'sealwire_relay_unwritten_messages',
      help: 'Messages that wait for the durable write.',
    }),
    relayNodeClock: new Gauge({
      registers,
      name: 'sealwire_relay_node_clock_offset_seconds',
      help: 'The largest difference between the clock of this relay and what others said of theirs lately, less the time of the bus.',
    }),
    mailboxDepth: new Histogram({
      registers,
      name: 'sealwire_mailbox_depth_messages',
      help: 'Messages that had waited for a device when it connected, as far as it read before it was caught up or left.',
      buckets: [0, 1, 10, 100, 1_000, 10_000, 100_000],
    }),
    mailExpired: new Counter({
      registers,
      name: 'sealwire_mail_expired_total',
      help: 'Messages that nobody fetched in time; their devices are told of a gap.',
    }),
  };
}

function processes(registers: Registry[]) {
  return {
    certificateEnd: new Gauge({
      registers,
      name: 'sealwire_tls_certificate_end_timestamp_seconds',
      help: 'When the certificate that this server shows ends (seconds since 1970); 0: it speaks no TLS itself.',
    }),
    ready: new Gauge({
      registers,
      name: 'sealwire_ready',
      help: '1 when this server can do its job end to end, as /readyz says it.',
    }),
    build: new Gauge({
      registers,
      name: 'sealwire_build_info',
      help: 'Always 1; what runs.',
      labelNames: ['server', 'version', 'node'] as const,
    }),
    logLines: new Counter({
      registers,
      name: 'sealwire_log_lines_total',
      help: 'Lines of the log, by level, those that were left out too.',
      labelNames: ['level'] as const,
    }),
    logLinesLeftOut: new Counter({
      registers,
      name: 'sealwire_log_lines_left_out_total',
      help: 'Lines that the log left out of a flood (LOG_LINES_PER_EVENT).',
    }),
    traceExports: new Counter({
      registers,
      name: 'sealwire_trace_exports_total',
      help: 'Batches of spans to the collector of traces: sent, failed.',
      labelNames: ['result'] as const,
    }),
  };
}

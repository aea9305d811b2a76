/** The Prometheus metrics of all servers: one table of names, base units, few labels and never an id as a label. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createOperationMetrics, type OperationMetrics } from './operation-metrics.ts';

/** A metric as the page of metrics has it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface Metrics extends OperationMetrics {
  readonly relayConnections: Gauge;
  readonly relayConnectionsClosed: Counter<'code'>;
  readonly relayFramesReceived: Counter<'type'>;
  readonly relayDeliveryLatency: Histogram;
  readonly relayBufferedBytes: Gauge;
  readonly mailClockLead: Gauge;
  readonly busPublish: Histogram;
  readonly busFaults: Counter<'fault'>;
  readonly relayNodeFaults: Counter<'fault'>;
  readonly directoryClaims: Counter<'result'>;
  readonly directoryForeignRequests: Counter<'result'>;
  readonly directoryKeyChecks: Counter<'result'>;
  readonly prekeysLow: Counter;
  readonly rateLimitRejections: Counter<'limiter'>;
  readonly storeDamages: Counter<'part'>;
  readonly diskFree: Gauge<'disk'>;
  readonly diskRefusals: Counter<'what'>;
  readonly unhandledErrors: Counter<'where'>;
  /** The text of `GET /metrics`. */
  text(): Promise<string>;
  /** All that there are, in the order of their names. */
  descriptions(): readonly MetricDescription[];
}

/** `processMetrics`: also Node's own (event loop, heap, handles); off in tests, since their collectors live as long as the process. */
export function createMetrics(options: { readonly processMetrics: boolean } = { processMetrics: false }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const metrics: Omit<Metrics, 'text' | 'descriptions'> = {
    ...createOperationMetrics(registry),
    relayConnections: new Gauge({ registers, name: 'sealwire_relay_connections', help: 'Open relay sockets.' }),
    relayConnectionsClosed: new Counter({
      registers,
      name: 'sealwire_relay_connections_closed_total',
      help: 'Closed relay sockets, by close code.',
      labelNames: ['code'],
    }),
    relayFramesReceived: new Counter({
      registers,
      name: 'sealwire_relay_frames_received_total',
      help: 'Frames from clients, by type.',
      labelNames: ['type'],
    }),
    relayDeliveryLatency: new Histogram({
      registers,
      name: 'sealwire_relay_delivery_latency_seconds',
      help: 'From the durable write to the hand-over to the recipient’s socket.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    }),
    relayBufferedBytes: new Gauge({
      registers,
      name: 'sealwire_relay_buffered_bytes',
      help: 'Bytes waiting in socket queues.',
    }),
    mailClockLead: new Gauge({
      registers,
      name: 'sealwire_mail_clock_lead_seconds',
      help: 'How far the clock is ahead of the time by which mail expires: it jumped, or the server was off. Beyond a day look at the clock.',
    }),
    busPublish: new Histogram({
      registers,
      name: 'sealwire_bus_publish_seconds',
      help: 'Time to hand a message to the bus.',
      buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    }),
    busFaults: new Counter({
      registers,
      name: 'sealwire_bus_faults_total',
      help: 'Of the bus; mailboxes make them good: refused (not taken), dropped (too many under way), undecodable, interrupted, lost (the connection), region-lost (to another region), unheard (by the sender itself), uncounted (limiters count alone).',
      labelNames: ['fault'],
    }),
    relayNodeFaults: new Counter({
      registers,
      name: 'sealwire_relay_node_faults_total',
      help: 'What nodes find out about each other: same-name (two have one NODE_ID), clock-apart (more than a minute).',
      labelNames: ['fault'],
    }),
    directoryClaims: new Counter({
      registers,
      name: 'sealwire_directory_claims_total',
      help: 'Key bundles handed out: with a one-time prekey, without (none left), withheld (limit), none (no bundle).',
      labelNames: ['result'],
    }),
    directoryForeignRequests: new Counter({
      registers,
      name: 'sealwire_directory_foreign_requests_total',
      help: 'Bundle requests to directories of other domains: answered, failed (no or a refusing answer), invalid (a lying one), skipped (busy, or failed a moment ago).',
      labelNames: ['result'],
    }),
    directoryKeyChecks: new Counter({
      registers,
      name: 'sealwire_directory_key_checks_total',
      help: 'Devices that asked whether the directory holds their keys: same, differ.',
      labelNames: ['result'],
    }),
    prekeysLow: new Counter({
      registers,
      name: 'sealwire_prekeys_low_total',
      help: 'Bundles handed out of an empty pool of one-time prekeys.',
    }),
    rateLimitRejections: new Counter({
      registers,
      name: 'sealwire_ratelimit_rejections_total',
      help: 'Requests refused, by limiter.',
      labelNames: ['limiter'],
    }),
    storeDamages: new Counter({
      registers,
      name: 'sealwire_store_damages_total',
      help: 'What the store came across that it cannot read: log (what was accepted last), mailbox, message, ids (the memory of message ids), record (any other).',
      labelNames: ['part'],
    }),
    diskFree: new Gauge({
      registers,
      name: 'sealwire_disk_free_bytes',
      help: 'Free on the disk of the embedded store (store) and of the folder of files (blobs), as of the last request that asked.',
      labelNames: ['disk'],
    }),
    diskRefusals: new Counter({
      registers,
      name: 'sealwire_disk_refusals_total',
      help: 'What was refused because a disk is nearly full: upload, account, message.',
      labelNames: ['what'],
    }),
    unhandledErrors: new Counter({
      registers,
      name: 'sealwire_unhandled_errors_total',
      help: 'Errors that no code expected, by where they surfaced.',
      labelNames: ['where'],
    }),
  };
  beginAtZero(metrics);
  return { ...metrics, text: () => registry.metrics(), descriptions: () => describe(registry) };
}

/** Prometheus sees no increase in a series that begins with 1: what an alert waits for is there before it happens. Links are there until told lost. */
function beginAtZero(metrics: Omit<Metrics, 'text' | 'descriptions'>): void {
  for (const link of [metrics.busConnected, metrics.limitersShared]) link.set(1);
  for (const fault of [
    'refused',
    'dropped',
    'undecodable',
    'interrupted',
    'lost',
    'region-lost',
    'unheard',
    'uncounted',
  ])
    metrics.busFaults.inc({ fault }, 0);
  for (const fault of ['same-name', 'clock-apart']) metrics.relayNodeFaults.inc({ fault }, 0);
  for (const part of ['log', 'mailbox', 'message', 'ids', 'record']) metrics.storeDamages.inc({ part }, 0);
  for (const where of UNHANDLED) metrics.unhandledErrors.inc({ where }, 0);
  for (const result of ['sent', 'failed']) metrics.traceExports.inc({ result }, 0);
  for (const result of ['sent', 'refused', 'unavailable']) metrics.mails.inc({ result }, 0);
  for (const level of ['debug', 'info', 'warn', 'error']) metrics.logLines.inc({ level }, 0);
}

/** Where errors surface that no code expected. */
const UNHANDLED = [
  'admin-socket',
  'attachments-expire',
  'bus-message',
  'http',
  'mail-clock',
  'mailbox-expire',
  'mailbox-read',
  'rejection',
  'relay-commit',
  'relay-frame',
  'upgrade',
] as const;

/** What prom-client knows of a metric and its types do not say. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function describe(registry: Registry): readonly MetricDescription[] {
  const registered = registry.getMetricsAsArray() as unknown as readonly Registered[];
  return registered
    .map(({ name, help, type, labelNames }) => ({ name, type, labels: labelNames, help }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

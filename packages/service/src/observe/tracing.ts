/**
 * Traces, as the servers see them: what of a request took how long, over the processes that it goes through. Who makes them is loaded only
 * where `TRACES_URL` is set (`otlp-tracing.ts`); everywhere else this is a type, and `undefined` at run time.
 *
 * A span has a name and attributes of closed lists: no address, no device, no path, no client.
 */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface TracingOptions {
  /** Of the collector, with the path: `http://collector:4318/v1/traces`. */
  readonly url: string;
  /** Of the traces that begin here: from 0, none, to 1, all. One that comes from another process goes on as that one decided. */
  readonly ratio: number;
  readonly server: string;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'traceExports'>;
}

/** What a span may say. */
export interface SpanFields {
  /** Template. */
  readonly route?: string;
  readonly method?: string;
  readonly status?: number;
}

/** A span that is open. */
export interface OpenSpan {
  /** Runs `work` so that what it begins is below this span. */
  within<T>(work: () => T): T;
  /** Once. `failed`: for who searches for faults. */
  end(outcome: { readonly name?: string; readonly fields?: SpanFields; readonly failed: boolean }): void;
}

export interface Tracing {
  /** A request that came, below the span of another process if `traceparent` (W3C Trace Context) says so; one that is not well-formed says nothing. */
  request(name: string, traceparent: string | undefined): OpenSpan;
  /** A call of a port: a span below the one that is open now, for as long as its promise lasts. Without one nothing is made. */
  call<T>(name: string, work: () => T): T;
  /** A message that another process of ours sent. Without `traceparent` nothing is made. */
  heard(name: string, traceparent: string | undefined, work: () => void): void;
  /** Of the span that is open now, for a process of ours, which keeps it or not as this one does; undefined: there is none. */
  current(): string | undefined;
  /** Sends what waits. Idempotent; never rejects. */
  close(): Promise<void>;
}

/** Version 00: trace, parent and flags in small hexadecimal digits, neither id all zeros (W3C Trace Context section 3.2). */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Whether a text is a `traceparent` that we pass on. */
export function isTraceparent(text: unknown): text is string {
  return typeof text === 'string' && TRACEPARENT.test(text);
}

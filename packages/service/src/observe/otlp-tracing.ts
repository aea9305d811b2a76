/**
 * Traces by OpenTelemetry, sent as OTLP over HTTP (opentelemetry.io/docs/specs/otlp). Loaded by who is told where a collector is, and by
 * nobody else: the hot path of a server without one has none of this. Nothing of the library is global: two servers of a test have two.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { isTraceparent, type OpenSpan, type SpanFields, type Tracing, type TracingOptions } from './tracing.ts';

/** Memory for a collector that does not answer; what is beyond it is lost. */
const MOST_WAITING = 2_048;
const EXPORT_PATIENCE_MS = 5_000;

export function openOtlpTracing(options: TracingOptions): Tracing {
  const { server, version } = options;
  const exporter = toldExporter(options);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `sealwire-${server}`, 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter, maxQueueSize: MOST_WAITING, exportTimeoutMillis: EXPORT_PATIENCE_MS }),
    ],
  });
  const tracer = provider.getTracer('sealwire', version);
  const open = new AsyncLocalStorage<Span>();

  function begin(name: string, kind: SpanKind, parent: SpanContext | undefined): Span {
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    return tracer.startSpan(name, { kind }, context);
  }

  return {
    request(name, traceparent): OpenSpan {
      const span = begin(name, SpanKind.SERVER, parentIn(traceparent));
      return {
        within: (work) => open.run(span, work),
        end({ name: better, fields = {}, failed }) {
          if (better !== undefined) span.updateName(better);
          span.setAttributes(attributesOf(fields));
          finish(span, failed);
        },
      };
    },

    call(name, work) {
      const above = open.getStore();
      if (!above?.isRecording()) return work();
      const span = begin(name, SpanKind.CLIENT, above.spanContext());
      let answer: ReturnType<typeof work>;
      try {
        answer = open.run(span, work);
      } catch (error) {
        finish(span, true);
        throw error;
      }
      if (!(answer instanceof Promise)) finish(span, false);
      else
        answer.then(
          () => finish(span, false),
          () => finish(span, true),
        );
      return answer;
    },

    heard(name, traceparent, work) {
      const parent = parentIn(traceparent);
      if (!parent) return work();
      const span = begin(name, SpanKind.CONSUMER, parent);
      try {
        open.run(span, work);
        finish(span, false);
      } catch (error) {
        finish(span, true);
        throw error;
      }
    },

    current() {
      const span = open.getStore();
      if (!span) return undefined;
      const { traceId, spanId, traceFlags } = span.spanContext();
      return `00-${traceId}-${spanId}-${traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;
    },

    close: () => provider.shutdown().catch(() => {}),
  };
}

function finish(span: Span, failed: boolean): void {
  // Never the error itself: drivers quote data in it.
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Names of the semantic conventions of HTTP. */
function attributesOf({ route, method, status }: SpanFields) {
  return {
    ...(route !== undefined && { 'http.route': route }),
    ...(method !== undefined && { 'http.request.method': method }),
    ...(status !== undefined && { 'http.response.status_code': status }),
  };
}

function parentIn(traceparent: string | undefined): SpanContext | undefined {
  if (!isTraceparent(traceparent)) return undefined;
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return { traceId, spanId, traceFlags, isRemote: true };
}

/** The exporter, with a count and a line of the log when the collector is lost, and when it is back. */
function toldExporter({ url, log, metrics }: TracingOptions): SpanExporter {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_PATIENCE_MS });
  let isLost = false;
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        // 0: taken.
        const failed = result.code !== 0;
        metrics.traceExports.inc({ result: failed ? 'failed' : 'sent' });
        if (failed && !isLost) log.warn('traces-not-sent', { setting: 'TRACES_URL', count: spans.length });
        if (!failed && isLost) log.info('traces-sent-again');
        isLost = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

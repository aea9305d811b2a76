/** The frame of every `main.ts`: configuration, log, metrics, start, orderly end; a user's mistake is one line and exit code 2. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { createLog, type Log, type LogLevel } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { Tracing, TracingOptions } from '../observe/tracing.ts';
import { ConfigError, loadConfig, type Settings } from './config.ts';
import { onShutdown } from './shutdown.ts';

export interface BootContext<S extends Settings> {
  readonly settings: z.output<S>;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Undefined: no traces are made. */
  readonly tracing?: Tracing | undefined;
}

export interface Running {
  readonly url: string;
  /** For a person, on stdout, once a signal ends the server in order. */
  readonly greeting?: string;
  /** Drains and ends. */
  stop(): Promise<void>;
  /** What SIGHUP asks for. Undefined: it ends the process, as a terminal that is closed wants it to. */
  readonly reload?: (() => void) | undefined;
}

export interface Server<S extends Settings> {
  readonly name: string;
  /** Of the app's main: `import.meta.url`; its package.json holds the version. */
  readonly main: string;
  readonly schema: S;
  /** What the first word may be, which whoever calls `boot` has looked at: for `--help`, and for a word that is none. */
  readonly commands?: readonly string[];
  readonly now: () => number;
  run(context: BootContext<S>): Promise<Running>;
}

/** Runs `server` until a signal ends it. Resolves when it listens (or has shown its configuration). */
export async function boot<S extends Settings>(server: Server<S>): Promise<void> {
  try {
    const version = versionOf(server.main);
    const loaded = loadConfig(server.schema, undefined, { version, commands: server.commands ?? [] });
    if (loaded.action === 'show') {
      process.stdout.write(loaded.text);
      return;
    }
    for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
    const settings = loaded.settings;
    const observed = settings as Observed;
    const metrics = createMetrics({ processMetrics: true });
    const log = createLog({
      server: server.name,
      level: observed.LOG_LEVEL ?? 'info',
      now: server.now,
      identifiers: observed.LOG_IDENTIFIERS === 'on',
      linesPerEvent: observed.LOG_LINES_PER_EVENT ?? 0,
      metrics,
    });
    setInterval(() => log.tellLeftOut(), LEFT_OUT_EVERY_MS).unref();
    process.once('exit', () => log.tellLeftOut());
    const tracing = await tracingOf(observed, { server: server.name, version, log, metrics });
    // A forgotten rejection fails its request, not everybody's (case H16).
    process.on('unhandledRejection', (error) => {
      metrics.unhandledErrors.inc({ where: 'rejection' });
      log.error('unhandled-rejection', { error });
    });
    const running = await server.run({ settings, version, log, metrics, now: server.now, tracing });
    if (running.reload) process.on('SIGHUP', running.reload);
    onShutdown({
      stop: () => running.stop().finally(() => tracing?.close()),
      log,
      signals: process,
      exit: (code) => process.exit(code),
      now: server.now,
    });
    if (running.greeting !== undefined) process.stdout.write(running.greeting);
    const { hostname, port } = new URL(running.url);
    log.info('listening', { version, host: hostname, port: Number(port) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${server.name}: ${error.message}\n`);
    process.exit(error.exitCode);
  }
}

/** Of `SERVER_SETTINGS`, which not every schema has. */
interface Observed {
  readonly LOG_LEVEL?: LogLevel;
  readonly LOG_IDENTIFIERS?: 'on' | 'off';
  readonly LOG_LINES_PER_EVENT?: number;
  readonly TRACES_URL?: string | undefined;
  readonly TRACES_RATIO?: number;
}

/** A flood that has ended is told of, though no other line comes. */
const LEFT_OUT_EVERY_MS = 10_000;

async function tracingOf(
  { TRACES_URL: url, TRACES_RATIO: ratio = 0 }: Observed,
  process: Omit<TracingOptions, 'url' | 'ratio'>,
): Promise<Tracing | undefined> {
  if (url === undefined) return undefined;
  const { openOtlpTracing } = await import('../observe/otlp-tracing.ts');
  return openOtlpTracing({ ...process, url, ratio });
}

/**
 * Opens a store or a bus. A failure is the operator's to mend, and its one line, with the fix,
 * comes from the adapter (which repeats no password).
 */
export async function openOrExplain<T>(key: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Error) || !('kind' in error)) throw error;
    const [problem = ''] = error.message.split('\n');
    throw new ConfigError(key, problem);
  }
}

/** The version in the package.json beside `src/` or `dist/`. */
function versionOf(main: string): string {
  return (JSON.parse(readFileSync(new URL('../package.json', main), 'utf8')) as { version: string }).version;
}

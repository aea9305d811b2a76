/**
 * The log: JSON lines on stdout, one event with fields from a closed list. No token, key, address or text of a user has a field, and
 * what slips into a field anyway is cut out (`scrub`): logs are copied to places that nobody guards like the database. Of a flood of one
 * event the first lines are written, and then how many there were (`FloodGate`).
 */
import { LIMITS } from '@sealwire/wire/limits';
import { pino } from 'pino';
import { FloodGate, type LeftOut } from './flood-gate.ts';
import type { Metrics } from './metrics.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** All that may ever be logged. Ids of people and devices are not among it, on purpose, but for `device`. */
export interface LogFields {
  readonly version?: string;
  readonly host?: string;
  readonly port?: number;
  /** A setting's name, never its value. */
  readonly setting?: string;
  /** From the error table or the table of close codes. */
  readonly code?: string | number;
  readonly status?: number;
  readonly method?: string;
  /** The template of the route (`/v1/devices/:id`), never the path itself. */
  readonly route?: string;
  readonly limiter?: string;
  readonly signal?: string;
  /** A short fixed text of ours. */
  readonly reason?: string;
  /** Of the server's own folders, never a user's. */
  readonly path?: string;
  readonly count?: number;
  readonly bytes?: number;
  readonly durationMs?: number;
  readonly node?: string;
  /** As `BUS_PEERS` names it. */
  readonly region?: string;
  /** Correlates the lines of one request: made by us, or by a proxy that is trusted (`../http/request-notes.ts`). */
  readonly request?: string;
  /** Left out unless identifiers are switched on (`LOG_IDENTIFIERS`). */
  readonly device?: string;
  /** Name, code and stack frames are logged; the message is not, since drivers quote data in it. */
  readonly error?: unknown;
}

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** The server's name, on every line. */
  readonly server: string;
  readonly level: LogLevel;
  readonly now: () => number;
  /** Whether lines name devices; false by default. */
  readonly identifiers?: boolean;
  /** Of one event in ten seconds; 0, the default: no limit. */
  readonly linesPerEvent?: number;
  readonly metrics?: Pick<Metrics, 'logLines' | 'logLinesLeftOut'> | undefined;
  /** Where the lines go; stdout by default. */
  readonly write?: (line: string) => void;
}

const FIELDS: Readonly<
  Record<Exclude<keyof LogFields, 'error' | 'device' | 'request'>, 'string' | 'number' | 'either'>
> = {
  version: 'string',
  host: 'string',
  port: 'number',
  setting: 'string',
  code: 'either',
  status: 'number',
  method: 'string',
  route: 'string',
  limiter: 'string',
  signal: 'string',
  reason: 'string',
  path: 'string',
  count: 'number',
  bytes: 'number',
  durationMs: 'number',
  node: 'string',
  region: 'string',
};

/** A log that says what it left out of floods when it is asked to: from time to time, and at the end. */
export interface GatedLog extends Log {
  tellLeftOut(): void;
}

type Level = keyof Log;
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/** Makes the log of one process. */
export function createLog(options: LogOptions): GatedLog {
  const destination = options.write ? { write: options.write } : pino.destination({ dest: 1, sync: true });
  const logger = pino(
    {
      level: options.level,
      base: { server: options.server },
      timestamp: () => `,"time":${options.now()}`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    destination,
  );
  const { now, metrics, identifiers = false } = options;
  const gate = new FloodGate(options.linesPerEvent ?? 0, now, tell);

  function tell({ event, count, durationMs }: LeftOut): void {
    logger.warn({ reason: scrub(event), count, durationMs }, 'lines-left-out');
  }

  function writer(level: Level): Log[Level] {
    if (!logger.isLevelEnabled(level)) return () => {};
    return (event, fields) => {
      metrics?.logLines.inc({ level });
      if (gate.lets(event)) logger[level](allowed(fields, identifiers), scrub(event));
      else metrics?.logLinesLeftOut.inc();
    };
  }

  const [debug, info, warn, error] = LEVELS.map(writer) as [Log[Level], Log[Level], Log[Level], Log[Level]];
  return { debug, info, warn, error, tellLeftOut: () => gate.tellAll() };
}

/** For tests and embedding: says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The types close the list at compile time; this closes it at run time, for callers that cast. */
function allowed(fields: LogFields = {}, identifiers: boolean): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(FIELDS) as [keyof typeof FIELDS, string][]) {
    const value = fields[name];
    if (typeof value === 'string' && type !== 'number') out[name] = scrub(value);
    else if (typeof value === 'number' && type !== 'string') out[name] = value;
  }
  const { request, device } = fields;
  if (typeof request === 'string') out.request = REQUEST_ID.test(request) ? request : scrub(request);
  if (identifiers && typeof device === 'string') out.device = device.slice(0, LIMITS.deviceIdBytes.value);
  if (fields.error !== undefined) out.error = describeError(fields.error);
  return out;
}

/** As `request-notes.ts` makes and takes them. */
const REQUEST_ID = /^[0-9a-f]{16,32}$/;

// SIP, mail and user@host addresses; and long runs of letters and digits, the shape of tokens, keys and ids.
const ADDRESS_LIKE = /(?:sips?:|mailto:)?[^\s"'<>/]+@[^\s"'<>]+/gi;
const SECRET_LIKE = /[A-Za-z0-9+/_=-]*(?:[A-Za-z0-9+_=-]{24,})[A-Za-z0-9+/_=.-]*/g;

function scrub(text: string): string {
  return text.slice(0, 300).replace(ADDRESS_LIKE, '[address]').replace(SECRET_LIKE, '[secret]');
}

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, kind } = error as { code?: unknown; kind?: unknown };
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
  return {
    name: scrub(error.name),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: scrub(String(code)) } : {}),
    ...(typeof kind === 'string' ? { kind: scrub(kind) } : {}),
    at: frames,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

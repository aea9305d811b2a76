/**
 * The log: JSON lines on stdout, one event with fields from a closed list. No token, key, address or text of a user has a field, and
 * what slips into a field anyway is cut out (`scrub`): logs are copied to places that nobody guards like the database.
 */
import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** All that may ever be logged. Ids of people and devices are not among it, on purpose. */
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
  /** Correlates the lines of one request; made by us. */
  readonly request?: string;
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
  /** Where the lines go; stdout by default. */
  readonly write?: (line: string) => void;
}

const FIELDS: Readonly<Record<Exclude<keyof LogFields, 'error'>, 'string' | 'number' | 'either'>> = {
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
  request: 'string',
};

/** Makes the log of one process. */
export function createLog(options: LogOptions): Log {
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
  return {
    debug: (event, fields) => logger.debug(allowed(fields), scrub(event)),
    info: (event, fields) => logger.info(allowed(fields), scrub(event)),
    warn: (event, fields) => logger.warn(allowed(fields), scrub(event)),
    error: (event, fields) => logger.error(allowed(fields), scrub(event)),
  };
}

/** For tests and embedding: says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The types close the list at compile time; this closes it at run time, for callers that cast. */
function allowed(fields: LogFields = {}): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(FIELDS) as [keyof typeof FIELDS, string][]) {
    const value = fields[name];
    if (typeof value === 'string' && type !== 'number') out[name] = scrub(value);
    else if (typeof value === 'number' && type !== 'string') out[name] = value;
  }
  if (fields.error !== undefined) out.error = describeError(fields.error);
  return out;
}

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

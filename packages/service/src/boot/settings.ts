/** Kinds of settings, and the settings that every server has. Servers compose their schema from these. */
import { isIP } from 'node:net';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { canonicalServer } from '@sealwire/wire/server-address';
import { z } from 'zod';
import { setting } from './config.ts';

/** Segments that no proxy rewrites and no parser reads in two ways. */
const PATH = /^\/$|^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;
const BASE_PATH = /^\/$|^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A whole number between the bounds, from text or from a TOML number. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return z
    .union([z.string(), z.number()])
    .transform((value) => (typeof value === 'string' && !/^\d+$/.test(value) ? Number.NaN : Number(value)))
    .refine((value) => Number.isSafeInteger(value) && value >= minimum && value <= maximum, {
      error:
        maximum === Number.MAX_SAFE_INTEGER
          ? `a whole number from ${minimum}`
          : `a whole number from ${minimum} to ${maximum}`,
    });
}

/** `HOST:PORT`; IPv6 in brackets; port 0 lets the system choose. */
export function listenAddress() {
  return z.string().transform((text, context): ListenAddress => {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (match && port <= 65_535) return { host: match[1] ?? match[2]!, port };
    context.issues.push({ code: 'custom', message: 'not HOST:PORT', input: text });
    return z.NEVER;
  });
}

function urlOf(text: string): URL | undefined {
  const server = canonicalServer(text);
  return server === undefined ? undefined : new URL(server);
}

/** `https://chat.example.org`: scheme and host, no path. http only for the machine itself. */
export function origin() {
  return z.string().transform((text, context): string => {
    const url = urlOf(text);
    let problem = 'not an origin like https://chat.example.org';
    if (url?.pathname === '/') {
      if (url.protocol === 'https:' || isLoopback(url.hostname)) return url.origin;
      problem = 'https is needed for anything but this machine itself';
    }
    context.issues.push({ code: 'custom', message: problem, input: text });
    return z.NEVER;
  });
}

/** `https://chat.example.org`, or with the path under which all servers are: `https://example.org/chat`. */
export function publicOrigin() {
  return z.string().transform((text, context): string => {
    const url = urlOf(text);
    let problem = 'not an address like https://chat.example.org or https://example.org/chat';
    if (url && BASE_PATH.test(url.pathname)) {
      if (url.protocol === 'https:' || isLoopback(url.hostname)) return url.origin + url.pathname.replace(/\/$/, '');
      problem = 'https is needed for anything but this machine itself';
    }
    context.issues.push({ code: 'custom', message: problem, input: text });
    return z.NEVER;
  });
}

/** `/`, or `/x3dh`, at which this server is to answer. `taken`: the first segments of what it, or another server there, answers at. */
export function ownPath(taken: readonly string[]) {
  return z
    .string()
    .regex(PATH, 'not a path like / or /x3dh')
    .refine((path) => !taken.includes(path.split('/')[1]!), { error: 'a path at which a server has something else' });
}

/** Origins separated by commas (or a TOML list), at most `max` of them. */
export function origins(max = Number.POSITIVE_INFINITY) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) =>
      (typeof value === 'string' ? value.split(',') : value).map((text) => text.trim()).filter(Boolean),
    )
    .pipe(z.array(origin()).max(max, `more than ${max} origins`));
}

/** Secret bytes as base64url, exactly `length` of them. */
export function secretBytes(length: number) {
  return z.string().transform((text, context): Uint8Array => {
    try {
      const bytes = decodeBase64url(text);
      if (bytes.length === length && bytes.some((byte) => byte !== bytes[0])) return bytes;
    } catch {
      // Falls through to the one message below: it must not quote the value.
    }
    context.issues.push({ code: 'custom', message: `not ${length} random bytes in base64url`, input: '' });
    return z.NEVER;
  });
}

/** Addresses and CIDR ranges, separated by commas (or a TOML list). */
export function addressRanges() {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) =>
      (typeof value === 'string' ? value.split(',') : value).map((text) => text.trim()).filter(Boolean),
    )
    .refine((ranges) => ranges.every(isRange), { error: 'not a list of addresses like 10.0.0.0/8,fd00::/8' });
}

function isRange(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  const family = isIP(address);
  return (
    family !== 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)))
  );
}

/** From 0 to 1, from text or from a TOML number. */
function ratio() {
  return z
    .union([z.string().regex(/^\d(?:\.\d{1,6})?$/, 'not a number from 0 to 1'), z.number()])
    .transform(Number)
    .refine((value) => value >= 0 && value <= 1, { error: 'not a number from 0 to 1' });
}

/** Of a collector. A user or a password in it would come out in a log of that one. */
function tracesUrl() {
  return z.url({ protocol: /^https?$/, error: 'not a URL like http://127.0.0.1:4318/v1/traces' }).refine(
    (text) => {
      const { username, password, hash } = new URL(text);
      return username === '' && password === '' && hash === '';
    },
    { error: 'has a user, a password or a fragment' },
  );
}

/** Whether a URL with this host can only mean the machine itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A domain name in small letters, as it stands in addresses. */
export const DOMAIN_NAME = /^(?=.{1,190}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** For a server that clients reach without a proxy. */
export const TLS_SETTINGS = {
  TLS_CERT_FILE: setting(z.string().min(1).optional(), {
    about:
      'The certificate chain, PEM: this server speaks TLS itself. Read again when the file changes, and at SIGHUP. Not set: plain HTTP, for a proxy in front.',
    example: '/etc/letsencrypt/live/chat.example.org/fullchain.pem',
  }),
  TLS_KEY_FILE: setting(z.string().min(1).optional(), {
    about: 'The private key of that certificate, PEM.',
    example: '/etc/letsencrypt/live/chat.example.org/privkey.pem',
  }),
} as const;

/** For servers that listen to others. `joinRegions` of packages/bus judges it: a refusal here would quote what may hold a password. */
export const BUS_PEERS = setting(z.string(), {
  about:
    'The `BUS_URL` of each other region as `NAME=redis://HOST`, separated by spaces or lines: this process hears what is published there, too. Names are for the log and metrics.',
  default: '',
  alsoFile: true,
  example: 'west=redis://10.2.0.5:6379',
});

/** What every server has. `LISTEN` has its default in each server. */
export const SERVER_SETTINGS = {
  DOMAIN: setting(z.string().regex(DOMAIN_NAME, 'not a domain name in small letters'), {
    about: 'The domain of the account addresses: `sip:alice@DOMAIN`. Never change it once there are accounts.',
    example: 'example.org',
  }),
  PUBLIC_ORIGIN: setting(publicOrigin(), {
    about:
      'Where clients reach all servers, with a path if they are under one (`https://example.org/chat`). Its origin issues the tokens, and logins are bound to it.',
    example: 'https://chat.example.org',
  }),
  STORE_URL: setting(z.string().regex(/^[a-z+]+:/, 'not a store URL'), {
    about:
      'Where the data lives: `lmdb:FOLDER` of this process alone, `mongodb://HOST/DATABASE` for many, or `memory:` for tests.',
    default: 'lmdb:./data/store',
    alsoFile: true,
    example: 'lmdb:./data/store',
  }),
  WHEN_STORE_DAMAGED: setting(z.enum(['continue', 'stop']), {
    about:
      'When accepted messages are lost with the log of an embedded store: `continue` (take over what can be read, tell the recipients, say so in the log), or `stop` (refuse to start until `npm start -- repair`).',
    default: 'continue',
  }),
  BUS_URL: setting(z.string().regex(/^[a-z+]+:/, 'not a bus URL'), {
    about:
      'How the processes wake each other: `memory:` (one process only), `redis://HOST`, `redis+sentinel://HOST,HOST/NAME` or `redis+cluster://HOST,HOST`; over TLS with `rediss`.',
    default: 'memory:',
    alsoFile: true,
    example: 'memory:',
  }),
  ALLOWED_ORIGINS: setting(origins(), {
    about:
      'Origins of web pages that may use this server, beside its own, separated by commas: they may call it, read its answers and open a socket. Programs send none and need none.',
    default: '',
    example: 'https://app.example.org',
  }),
  TRUSTED_PROXIES: setting(addressRanges(), {
    about:
      'Addresses and ranges whose `X-Forwarded-For` is believed, separated by commas. From all others it is ignored.',
    default: '',
    example: '10.0.0.0/8',
  }),
  ...TLS_SETTINGS,
  METRICS_LISTEN: setting(listenAddress().optional(), {
    about:
      'An address of their own, `HOST:PORT`, for `/metrics`, which are then nowhere else, and for `/livez`, `/readyz` and `/version`, which stay where they are, too. Plain HTTP, for the network of those who watch.',
    example: '127.0.0.1:9090',
  }),
  CONNECTIONS_PER_ADDRESS: setting(wholeNumber(0), {
    about: 'Open connections from one address (loopback and trusted proxies excepted); 0: no limit.',
    default: '1000',
  }),
  LOG_LEVEL: setting(z.enum(['debug', 'info', 'warn', 'error', 'silent']), {
    about: 'The least level that is logged: `debug`, `info`, `warn`, `error`, `silent`.',
    default: 'info',
  }),
  LOG_LINES_PER_EVENT: setting(wholeNumber(0), {
    about:
      'Lines of one event in ten seconds; what is beyond it is left out, and a line `lines-left-out` says how many there were. 0: no limit.',
    default: '100',
  }),
  LOG_IDENTIFIERS: setting(z.enum(['on', 'off']), {
    about:
      'Whether lines of the log name the device that they are about. Only while a fault is searched for: whoever reads the log then sees who uses this server, and when.',
    default: 'off',
  }),
  TRACES_URL: setting(tracesUrl().optional(), {
    about:
      'Where traces go, by OTLP over HTTP: the address of a collector on a network of your own, with the path. Not set: none are made.',
    example: 'http://127.0.0.1:4318/v1/traces',
  }),
  TRACES_RATIO: setting(ratio(), {
    about:
      'Of the requests that come without a trace, the part that gets one, from `0` to `1`. Those that trusted proxies and our own servers began go on as they say.',
    default: '0.01',
  }),
} as const;

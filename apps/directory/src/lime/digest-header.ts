/** What a client says in `Authorization: Digest …` (RFC 7616 section 3.4; the grammar is RFC 9110 section 11.4). */
import type { DigestAlgorithm } from '@sealwire/access/digest-hash';

export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** As named; absent means MD5 (section 3.4). */
  readonly algorithm: string;
  readonly qop: string | undefined;
  readonly cnonce: string | undefined;
  /** Eight digits of hexadecimal. */
  readonly nc: string | undefined;
}

/** Larger than any honest one: user, realm, uri and nonce of the lengths that this server has. */
const MAX_LENGTH = 4_096;
const SCHEME = /^digest +/i;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** A parameter and what separates it from the next: quoted, with `\\` before what it quotes, or a token. */
const PARAMETER = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))[ \\t]*(?:,[ \\t]*|$)`,
  'y',
);
const DEMANDED = ['username', 'realm', 'nonce', 'uri', 'response'] as const;

export function isDigest(authorization: string): boolean {
  return SCHEME.test(authorization);
}

/**
 * Undefined: not of that form, a parameter twice (which one would a proxy have read?), one of those that are demanded missing, or one that
 * this server never asked for (`userhash`, `username*`: our users are ASCII).
 */
export function parseDigest(authorization: string): DigestCredentials | undefined {
  if (authorization.length > MAX_LENGTH) return undefined;
  const given = parametersOf(authorization.replace(SCHEME, ''));
  if (!given || given.has('username*') || (given.get('userhash') ?? 'false') !== 'false') return undefined;
  if (DEMANDED.some((name) => !given.get(name))) return undefined;
  return {
    username: given.get('username')!,
    realm: given.get('realm')!,
    nonce: given.get('nonce')!,
    uri: given.get('uri')!,
    response: given.get('response')!,
    algorithm: given.get('algorithm') ?? 'MD5',
    qop: given.get('qop'),
    cnonce: given.get('cnonce'),
    nc: given.get('nc'),
  };
}

function parametersOf(text: string): Map<string, string> | undefined {
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  for (let at = 0; at < text.length; at = PARAMETER.lastIndex) {
    const match = PARAMETER.exec(text);
    if (!match) return undefined;
    const [, name = '', quoted, token] = match;
    const key = name.toLowerCase();
    if (found.has(key)) return undefined;
    found.set(key, quoted === undefined ? token! : quoted.replace(/\\(.)/g, '$1'));
  }
  return found;
}

/** `"` and `\\` never occur in what this server says of itself. */
export function challenge(realm: string, algorithm: DigestAlgorithm, nonce: string, stale: boolean): string {
  return `Digest realm="${realm}", qop="auth", algorithm=${algorithm}, nonce="${nonce}"${stale ? ', stale=true' : ''}`;
}

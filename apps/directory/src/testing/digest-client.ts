/** For tests: the client's side of HTTP Digest, written from RFC 7616 with node:crypto and none of the server's code. */
import { createHash } from 'node:crypto';

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string;
  readonly qop: string;
  readonly stale: boolean;
}

export interface DigestAnswer {
  readonly username: string;
  readonly password: string;
  readonly method?: string;
  readonly uri?: string;
  readonly nc?: number;
  readonly cnonce?: string;
}

const HASHES: Readonly<Record<string, string>> = { 'SHA-256': 'sha256', MD5: 'md5', 'SHA-512-256': 'sha512-256' };

export function hash(algorithm: string, text: string): string {
  return createHash(HASHES[algorithm]!).update(text, 'latin1').digest('hex');
}

/** The Digest challenges among the values of `WWW-Authenticate`, which `fetch` joins by commas. */
export function challengesIn(header: string | null): DigestChallenge[] {
  const parts = (header ?? '').split(/(?=Digest )/).filter((part) => part.startsWith('Digest '));
  return parts.map((part) => {
    const of = (name: string) => new RegExp(`${name}="?([^",]*)`).exec(part)?.[1] ?? '';
    return {
      realm: of('realm'),
      nonce: of('nonce'),
      algorithm: of('algorithm'),
      qop: of('qop'),
      stale: of('stale') === 'true',
    };
  });
}

/** Section 3.4.1 and 3.4.6. */
export function responseTo(
  { realm, nonce, algorithm }: Pick<DigestChallenge, 'realm' | 'nonce' | 'algorithm'>,
  { username, password, method = 'POST', uri = '/lime', nc = 1, cnonce = '0a4f113b' }: DigestAnswer,
): string {
  const ha1 = hash(algorithm, `${username}:${realm}:${password}`);
  const count = nc.toString(16).padStart(8, '0');
  return hash(algorithm, `${ha1}:${nonce}:${count}:${cnonce}:auth:${hash(algorithm, `${method}:${uri}`)}`);
}

/** The parameters of the header, to be changed by a test and joined by `headerOf`. */
export function parametersFor(challenge: DigestChallenge, answer: DigestAnswer): Record<string, string> {
  const { username, uri = '/lime', nc = 1, cnonce = '0a4f113b' } = answer;
  return {
    username: `"${username}"`,
    realm: `"${challenge.realm}"`,
    nonce: `"${challenge.nonce}"`,
    uri: `"${uri}"`,
    algorithm: challenge.algorithm,
    qop: 'auth',
    nc: nc.toString(16).padStart(8, '0'),
    cnonce: `"${cnonce}"`,
    response: `"${responseTo(challenge, answer)}"`,
  };
}

export function headerOf(parameters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return `Digest ${pairs.join(', ')}`;
}

/**
 * HTTP Digest with app passwords (RFC 7616), for LIME clients that know no tokens: SHA-256, and MD5 where the operator switched it on.
 * `qop=auth` is demanded: without it nothing counts the uses of a nonce. The body is not authenticated by it; TLS does that.
 */
import type { IncomingMessage } from 'node:http';
import type { AppPasswordCheck } from '@sealwire/access/app-password-check';
import type { AppPasswordVault } from '@sealwire/access/app-password-vault';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import type { AccountAddress } from '@sealwire/wire/ids';
import { challenge, type DigestCredentials, parseDigest } from './digest-header.ts';
import type { NonceBook } from './digest-nonce.ts';
import { digestResponse } from './digest-response.ts';

const COUNT = /^[0-9a-f]{8}$/i;

export type DigestOutcome = { readonly account: AccountAddress } | { readonly refused: 'wrong' | 'stale' };

export interface DigestScheme {
  /** Throws a 400 `Problem` for what is no Digest for this request, a 429 after too many wrong passwords. */
  authenticate(request: IncomingMessage, authorization: string): Promise<DigestOutcome>;
  /** The values of `WWW-Authenticate`, the preferred first (section 3.7); all with one nonce. */
  challenges(stale: boolean): string[];
}

export interface DigestDeps {
  readonly crypto: CryptoProvider;
  readonly vault: AppPasswordVault;
  readonly check: AppPasswordCheck;
  readonly nonces: NonceBook;
  /** What limiters count a client address by. */
  readonly keyOf: (request: IncomingMessage) => string;
  /** Whether `uri` is the request target as the client wrote it, a configured base path included. */
  readonly isTargetOf: (uri: string, request: IncomingMessage) => boolean;
}

export function digestScheme({ crypto, vault, check, nonces, keyOf, isTargetOf }: DigestDeps): DigestScheme {
  function isAnswerTo(
    credentials: DigestCredentials,
  ): credentials is DigestCredentials & { nc: string; cnonce: string } {
    const { realm, qop, nc, cnonce } = credentials;
    return (
      realm === vault.realm && qop === 'auth' && !!cnonce && nc !== undefined && COUNT.test(nc) && !/^0+$/.test(nc)
    );
  }

  return {
    async authenticate(request, authorization) {
      const credentials = parseDigest(authorization);
      if (!credentials)
        throw new Problem('bad-request', { detail: 'the Digest credentials do not have the form of RFC 7616' });
      const { username: user, uri, nonce, response } = credentials;
      if (!isTargetOf(uri, request)) {
        const detail = 'the uri of the Digest is not the target of the request: does a proxy rewrite the path?';
        throw new Problem('bad-request', { detail });
      }
      const algorithm = vault.algorithms.find((offered) => offered === credentials.algorithm);
      if (algorithm === undefined || !isAnswerTo(credentials)) return { refused: 'wrong' };
      const { nc, cnonce } = credentials;
      const question = { method: request.method ?? '', uri, nonce, nc, cnonce };
      const shown = Buffer.from(response, 'latin1');
      const proves = (ha1: string) => {
        const expected = digestResponse(crypto, algorithm, ha1, question);
        return crypto.equal(Buffer.from(expected, 'latin1'), shown);
      };
      const account = await check.check({ user, algorithm, from: keyOf(request), proves });
      if (account === undefined) return { refused: 'wrong' };
      // Only now: a stranger learns nothing of nonces, and cannot make us write them down.
      return (await nonces.use(nonce, Number.parseInt(nc, 16))) ? { account } : { refused: 'stale' };
    },

    challenges(stale) {
      const nonce = nonces.make();
      return vault.algorithms.map((algorithm) => challenge(vault.realm, algorithm, nonce, stale));
    },
  };
}

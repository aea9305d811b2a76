/**
 * Who asks on `/directory/lime`: the directory of another domain, with a token for this one request, made for one of its own devices
 * (docs/spec/lime-key-server.md section 7).
 */
import type { IncomingMessage } from 'node:http';
import { TokenError } from '@sealwire/access/tokens';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import type { Authenticate } from '../lime/authenticate.ts';
import type { LimeSender } from '../lime/sender.ts';
import type { BlockedDomain } from './foreign-directories.ts';
import type { PeerVerifier, VerifiedPeer } from './peer-tokens.ts';

const SCHEME = 'Sealwire-Peer';

export interface AuthenticatePeerDeps {
  readonly verifier: PeerVerifier;
  readonly crypto: Pick<CryptoProvider, 'sha256' | 'equal'>;
  readonly store: Pick<Store, 'once'>;
  readonly now: () => number;
  readonly isBlocked: BlockedDomain;
}

export function authenticateByPeer(deps: AuthenticatePeerDeps): Authenticate {
  return async (request: IncomingMessage) => {
    const [scheme, token = '', ...more] = (request.headers.authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== SCHEME.toLowerCase() || more.length > 0) return { problem: unauthorized() };
    try {
      const peer = await deps.verifier.verify(token);
      if (await deps.isBlocked(peer.domain)) return { problem: new Problem('forbidden') };
      return { senderOf: (identity, body) => senderOf(deps, peer, identity, body) };
    } catch (error) {
      if (error instanceof TokenError) return { problem: unauthorized() };
      throw error;
    }
  };
}

/** Throws a 401 for another body or a token that was used before, in whatever process; a 403 for another identity. */
async function senderOf(
  { crypto, store, now }: AuthenticatePeerDeps,
  { domain, requester, bodyHash, id, expiresAt }: VerifiedPeer,
  identity: string,
  body: Uint8Array,
): Promise<LimeSender> {
  if (identity !== requester)
    throw new Problem('forbidden', { detail: 'the identity header names another device than the token' });
  if (!crypto.equal(crypto.sha256(body), bodyHash)) throw unauthorized();
  const key = crypto.sha256(Buffer.concat([Buffer.from(`sealwire/peer-token/v1\0${domain}\0`), id]));
  if (!(await store.once.take(key, expiresAt, now()))) throw unauthorized();
  return { device: requester, vouchedBy: 'peer' };
}

function unauthorized(): Problem {
  return new Problem('unauthorized', { headers: { 'www-authenticate': SCHEME } });
}

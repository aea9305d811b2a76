/** Who asks on `/lime`. Whatever the scheme, the identity header must then name a device that is theirs (lime-protocol section 3.1). */
import type { IncomingMessage } from 'node:http';
import { bearerAuthenticator } from '@sealwire/access/bearer';
import type { TokenVerifier } from '@sealwire/access/tokens';
import { Problem } from '@sealwire/service/problem';
import { admittedDevices } from '@sealwire/store/operator';
import type { Store } from '@sealwire/store/port';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { DigestScheme } from './authenticate-digest.ts';
import { isDigest } from './digest-header.ts';
import type { LimeSender } from './sender.ts';

/** The directory of another domain: its token is for one identity and one body, so that these have a say. */
export interface PeerCaller {
  /** Throws a 401 or 403 `Problem`. */
  readonly senderOf: (identity: string, body: Uint8Array) => Promise<LimeSender>;
}

/** A device (its token), an account (an app password: any device id of it), anyone (open mode: any device id), or another directory. */
export type Caller =
  | { readonly device: DeviceId }
  | { readonly account: AccountAddress }
  | { readonly anyone: true }
  | PeerCaller;

/** `challenges`: the values of `WWW-Authenticate`, one header each: few parsers take a list of them in one. */
export interface Refusal {
  readonly problem: Problem;
  readonly challenges?: readonly string[];
}

/** Who asks, or what to answer (a 401 with its challenges, a 503). */
export type Authenticate = (request: IncomingMessage) => Promise<Caller | Refusal>;

export interface Schemes {
  readonly tokens: TokenVerifier;
  readonly store: Pick<Store, 'devices' | 'operatorRecords'>;
  /** Undefined: this server has no app passwords. */
  readonly digest: DigestScheme | undefined;
  /** Whether who shows no credentials is taken for whoever they say they are. Credentials that are shown must be good all the same. */
  readonly open: boolean;
  readonly realm: string;
}

/** `Bearer` with a token for the directory of a device that exists, or `Digest` with an app password. A 401 offers both. */
export function authenticateBy({ tokens, store, digest, open, realm }: Schemes): Authenticate {
  const byToken = bearerAuthenticator({
    verifier: tokens,
    audience: 'directory',
    findDevice: admittedDevices(store).find,
  });

  function unauthorized(problem: Problem, stale = false): Refusal {
    // Never a bare `Bearer`: parsers from the time of RFC 2617 (belle-sip) want a parameter in every challenge.
    const error = problem.details.headers?.['www-authenticate']?.replace(/^Bearer ?/, '');
    const bearer = `Bearer realm="${realm}"${error ? `, ${error}` : ''}`;
    return { problem, challenges: [...(digest?.challenges(stale) ?? []), bearer] };
  }

  async function caller(request: IncomingMessage): Promise<Caller | Refusal> {
    const { authorization } = request.headers;
    if (authorization === undefined && open) return { anyone: true };
    if (authorization === undefined || !digest || !isDigest(authorization))
      return { device: await byToken(authorization) };
    const outcome = await digest.authenticate(request, authorization);
    return 'refused' in outcome ? unauthorized(new Problem('unauthorized'), outcome.refused === 'stale') : outcome;
  }

  return async (request) => {
    try {
      return await caller(request);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return error.status === 401 ? unauthorized(error) : { problem: error };
    }
  };
}

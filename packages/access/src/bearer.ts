/** `Authorization: Bearer TOKEN` to a device that exists (RFC 6750; the token in the header only, never in a URL, case S72). */

import { Problem } from '@sealwire/service/problem';
import type { DeviceId } from '@sealwire/wire/ids';
import { type Audience, TokenError, type TokenVerifier } from './tokens.ts';

export interface BearerOptions {
  readonly verifier: TokenVerifier;
  readonly audience: Audience;
  /** Undefined: unknown or removed. Asked every time, so that a removed device is out at once and not when its token ends (case I12). */
  readonly findDevice: (device: DeviceId) => Promise<unknown>;
}

/** Resolves to the device of an `Authorization` header. Throws a 401 `Problem` with `WWW-Authenticate`. */
export type BearerAuthenticator = (authorization: string | undefined) => Promise<DeviceId>;

const SCHEME = /^bearer /i;

export function bearerAuthenticator(options: BearerOptions): BearerAuthenticator {
  return async (authorization) => {
    const token = tokenOf(authorization);
    if (token === undefined) throw new Problem('unauthorized', { headers: { 'www-authenticate': 'Bearer' } });
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    try {
      const { device } = await options.verifier.verify(token, options.audience);
      if (await options.findDevice(device)) return device;
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      throw new Problem(error.code, { headers }, { cause: error });
    }
    throw new Problem('unauthorized', { headers });
  };
}

/** What one token is made of is the verifier's business, which looks at known ones first. */
function tokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !SCHEME.test(authorization)) return undefined;
  const token = authorization.slice('bearer '.length);
  return token === '' || token.includes(' ') ? undefined : token;
}

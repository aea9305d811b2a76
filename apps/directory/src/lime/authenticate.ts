/** Who asks on `/lime`. Whatever the scheme, the identity header must then name a device that is theirs (lime-protocol section 3.1). */
import type { IncomingMessage } from 'node:http';
import { bearerAuthenticator } from '@sealwire/service/bearer';
import { Problem } from '@sealwire/service/problem';
import type { TokenVerifier } from '@sealwire/service/tokens';
import type { Store } from '@sealwire/store/port';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';

/** A device (its token), an account (an app password: any device id of it), or anyone (open mode: any device id). */
export type Caller = { readonly device: DeviceId } | { readonly account: AccountAddress } | { readonly anyone: true };

/** Who asks, or the problem to answer with (a 401 with its challenges, a 503). */
export type Authenticate = (request: IncomingMessage) => Promise<Caller | { readonly problem: Problem }>;

/** `Authorization: Bearer` with a token for the directory, of a device that exists. */
export function authenticateByToken(tokens: TokenVerifier, store: Pick<Store, 'devices'>): Authenticate {
  const authenticate = bearerAuthenticator({
    verifier: tokens,
    audience: 'directory',
    findDevice: (device) => store.devices.find(device),
  });
  return async (request) => {
    try {
      return { device: await authenticate(request.headers.authorization) };
    } catch (error) {
      if (error instanceof Problem) return { problem: error };
      throw error;
    }
  };
}

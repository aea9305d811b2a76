/**
 * A token by app password: for a device that its account's manifest names without a login key, which is how a LIME client that knows no
 * challenges is admitted. The token is good for the key directory and the relay, never for the API: an app password administers nothing.
 */

import type { AppPasswordCheck } from '@sealwire/access/app-password-check';
import { digestHash } from '@sealwire/access/digest-hash';
import type { Audience, TokenSigner } from '@sealwire/access/tokens';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import type { AppPasswordLoginBody } from '@sealwire/wire/http';
import { accountOf } from '@sealwire/wire/ids';
import type { z } from 'zod';

const AUDIENCES: readonly Audience[] = ['directory', 'relay'];

export interface AppPasswordLoginDeps {
  readonly store: Pick<Store, 'devices'>;
  readonly crypto: CryptoProvider;
  readonly signer: TokenSigner;
  readonly check: AppPasswordCheck;
  readonly realm: string;
}

export class AppPasswordLogin {
  constructor(private readonly deps: AppPasswordLoginDeps) {}

  /** One 401 for every way to fail. `from`: the limiter's key of the client address. Throws a 429 after too many wrong passwords. */
  async token(
    { device, user, password }: z.output<typeof AppPasswordLoginBody>,
    from: string,
  ): Promise<{ token: string; expiresAt: number }> {
    const { store, crypto, signer, check, realm } = this.deps;
    const shown = Buffer.from(digestHash(crypto, 'SHA-256', `${user}:${realm}:${password}`));
    const proves = (ha1: string) => crypto.equal(Buffer.from(ha1), shown);
    const account = await check.check({ user, algorithm: 'SHA-256', from, proves });
    const known = await store.devices.find(device);
    // One that has a login key proves it: a password must not do in its place.
    if (account === undefined || accountOf(device) !== account || known?.loginKey.length !== 0)
      throw new Problem('unauthorized');
    return signer.sign(device, AUDIENCES);
  }
}

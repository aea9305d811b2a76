/** Login: a device signs a challenge with its login key and gets a short token. Unknown devices look like known ones (case S76). */

import { AUDIENCES, type TokenSigner } from '@sealwire/access/tokens';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import { isDisabled } from '@sealwire/store/operator';
import type { Store } from '@sealwire/store/port';
import type { TokenBody } from '@sealwire/wire/http';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { loginMessage } from '@sealwire/wire/login';
import type { z } from 'zod';
import type { ChallengeBook } from './login-challenge.ts';

export interface LoginServiceDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly challenges: ChallengeBook;
  readonly signer: TokenSigner;
  readonly now: () => number;
  /** Under which clients reach us. */
  readonly origins: readonly string[];
}

export class LoginService {
  /** A key whose private half is thrown away at once. */
  private readonly nobodysKey: Uint8Array;

  constructor(private readonly deps: LoginServiceDeps) {
    this.nobodysKey = deps.crypto.ed25519.publicKey(deps.random(deps.crypto.ed25519.seedLength));
  }

  challenge(device: DeviceId): { challenge: string; expiresAt: number } {
    return this.deps.challenges.make(device);
  }

  /**
   * One 401 for every way to fail, after the same work: the device is looked up and a signature verified even when the challenge is
   * already known to be bad, and an unknown device costs a verification too.
   */
  async token({
    device,
    challenge,
    signature,
  }: z.output<typeof TokenBody>): Promise<{ token: string; expiresAt: number }> {
    const { store, crypto, challenges, signer, origins } = this.deps;
    const opened = challenges.open(challenge, device);
    const known = await store.devices.find(device);
    // A fresh array: a provider may keep a native key under an array's identity, and a cached key would be faster than a real one.
    // A device without a login key has no challenge to answer: to this it is nobody.
    const key = known?.loginKey.length ? known.loginKey : this.nobodysKey.slice();
    // Each is tried, whichever holds: how long it takes tells nothing.
    const verdicts = origins.map((origin) =>
      crypto.ed25519.verify(key, loginMessage(origin, device, challenge), signature),
    );
    const signed = verdicts.includes(true);
    if (!opened || !known || !signed) throw new Problem('unauthorized');
    // Only to its owner: for others it is as it was.
    if (await isDisabled(store, accountOf(device)))
      throw new Problem('forbidden', { detail: 'this account is disabled: ask whoever runs this server' });
    // Only now is it written down: an attacker without a key cannot fill the memory of answered challenges.
    if (!(await store.once.take(opened.nonce, opened.expiresAt, this.deps.now()))) throw new Problem('unauthorized');
    return signer.sign(device, AUDIENCES);
  }
}

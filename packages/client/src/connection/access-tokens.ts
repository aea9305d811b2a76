/**
 * The login of this device: the server's challenge, signed by the login key over an origin-bound message (wire/login), for a token of
 * fifteen minutes. A token is kept until shortly before its end and asked for once, however many calls wait for it.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { ChallengeAnswer, TokenAnswer } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { loginMessage } from '@sealwire/wire/login';
import { ClientError } from '../errors.ts';
import type { HttpCalls } from './http-calls.ts';

/** A token this close to its end is not used any more: it must outlive the call it goes with. */
const MARGIN_MS = 60_000;

export interface AccessToken {
  readonly token: string;
  /** ms since 1970, the server's clock. */
  readonly expiresAt: number;
}

export interface LoginIdentity {
  readonly origin: string;
  readonly apiPath: string;
  readonly device: DeviceId;
  readonly loginSeed: Uint8Array;
}

export class AccessTokens {
  readonly #http: HttpCalls;
  readonly #identity: LoginIdentity;
  readonly #crypto: CryptoProvider;
  readonly #now: () => number;
  readonly #isListed: () => Promise<boolean>;
  #current: AccessToken | undefined;
  /** When `#current` was asked for, by our clock. */
  #since = 0;
  #pending: Promise<AccessToken> | undefined;

  /** `isListed`: whether our account's manifest, as the directory has it by then, names this device; rejects when that is not known. */
  constructor(
    http: HttpCalls,
    identity: LoginIdentity,
    crypto: CryptoProvider,
    now: () => number,
    isListed: () => Promise<boolean>,
  ) {
    this.#http = http;
    this.#identity = identity;
    this.#crypto = crypto;
    this.#now = now;
    this.#isListed = isListed;
  }

  /** A token good for at least a minute. Throws `login-refused` when the server does not know this device (any more), and what `isListed` does. */
  async current(): Promise<AccessToken> {
    const age = this.#now() - this.#since;
    // By our clock alone: the server's may be another. A token that has ended all the same is refused, and replaced.
    const isGood = age >= 0 && age < LIMITS.accessTokenMs.value - MARGIN_MS;
    return this.#current && isGood ? this.#current : this.renew();
  }

  /** A new token, whatever is left of the old one. */
  renew(): Promise<AccessToken> {
    this.#pending ??= this.#login().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Runs `call` with a token, and once more with a new one when the server does not take the first. */
  async authorized<T>(call: (token: string) => Promise<T>): Promise<T> {
    const { token } = await this.current();
    try {
      return await call(token);
    } catch (error) {
      const refused = error instanceof ClientError && (error.code === 'token-expired' || error.code === 'unauthorized');
      if (!refused) throw error;
      return call((await this.renew()).token);
    }
  }

  async #login(isSecond = false): Promise<AccessToken> {
    const { origin, apiPath, device, loginSeed } = this.#identity;
    const since = this.#now();
    try {
      const asked = { method: 'POST', path: `${apiPath}/login/challenge`, body: { device }, repeatable: true } as const;
      const { challenge } = await this.#http.json(asked, ChallengeAnswer);
      const signature = this.#crypto.ed25519.sign(loginSeed, loginMessage(origin, device, challenge));
      const body = { device, challenge, signature: encodeBase64url(signature) };
      this.#current = await this.#http.json({ method: 'POST', path: `${apiPath}/login/token`, body }, TokenAnswer);
      this.#since = since;
      return this.#current;
    } catch (error) {
      this.#current = undefined;
      if (error instanceof ClientError && error.code === 'unauthorized') {
        // A server that was restored from a backup may have lost this device; the look at its manifest gives it back.
        if (!isSecond && (await this.#isListed())) return this.#login(true);
        throw new ClientError(
          'login-refused',
          // The signature names the address that we used: a server that goes by another one sees a foreign login, and cannot tell.
          `the server does not take this device’s login: it was removed, its account is gone, or the server goes by another address than ${origin} (its PUBLIC_ORIGIN)`,
          { cause: error },
        );
      }
      throw error;
    }
  }
}

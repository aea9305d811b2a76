/** Access tokens: EdDSA (Ed25519) JWTs of fifteen minutes, one audience a service, `kid` from an allow-list (RFC 7519, 8037, 9068). */
import { nobleCrypto } from '@sealwire/crypto/noble';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  importJWK,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose';
import { isCompactJws } from './compact-jws.ts';

export type Audience = 'api' | 'directory' | 'relay';

export const AUDIENCES: readonly Audience[] = ['api', 'directory', 'relay'];

export interface VerifiedToken {
  readonly device: DeviceId;
  /** ms since 1970 */
  readonly expiresAt: number;
}

export interface TokenVerifier {
  /** Throws `TokenError`, or `KeysUnavailableError` when keys come from a URL. Says nothing of whether the device still exists: ask the store. */
  verify(token: string, audience: Audience): Promise<VerifiedToken>;
  /** Rejects with `KeysUnavailableError` as long as it never had the keys. Once it had, who publishes them may be away. */
  ready(): Promise<void>;
}

export class TokenError extends Error {
  override readonly name = 'TokenError';
  constructor(
    readonly code: 'unauthorized' | 'token-expired',
    message: string,
  ) {
    super(message);
  }
}

/** Where the keys are, that tokens are verified by. */
interface TokenKeys {
  readonly keyOf: JWTVerifyGetKey;
  readonly ready: TokenVerifier['ready'];
}

/** The keys could not be fetched: nothing is known of the token. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  readonly kind = 'unavailable';
}

export interface TokenSigner {
  sign(device: DeviceId, audiences: readonly Audience[]): Promise<{ token: string; expiresAt: number }>;
  /** The public half: `/v1/.well-known/jwks.json`. */
  jwks(): JSONWebKeySet;
}

const ALGORITHM = 'EdDSA';
/** RFC 9068 section 2.1: what else this key ever signed can not pass for an access token. */
const TYPE = 'at+jwt';
/** Of each audience. Some 500 bytes each; the oldest goes first. */
const MAX_VERIFIED = 10_000;

interface SignerOptions {
  /** 32 bytes, the Ed25519 private key. */
  readonly seed: Uint8Array;
  /** The public origin. */
  readonly issuer: string;
  readonly now: () => number;
}

export function createTokenSigner(options: SignerOptions): TokenSigner {
  return signerInto(options, undefined);
}

/** Both halves, for one process that has them: what it signed it need not verify, as long as it remembers it. */
export interface Tokens {
  readonly signer: TokenSigner;
  readonly verifier: TokenVerifier;
}

export function createTokens(options: SignerOptions): Tokens {
  const verified = new VerifiedTokens();
  const signer = signerInto(options, verified);
  const { issuer, now } = options;
  return { signer, verifier: verifierFrom({ jwks: signer.jwks(), issuer, now }, verified) };
}

/** `signed`: is told of each token. */
function signerInto(options: SignerOptions, signed: VerifiedTokens | undefined): TokenSigner {
  const crypto = nobleCrypto();
  const publicKey = crypto.ed25519.publicKey(options.seed);
  const kid = encodeBase64url(crypto.sha256(publicKey).subarray(0, 12));
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(publicKey) } as const;
  const key = importJWK({ ...jwk, d: encodeBase64url(options.seed) }, ALGORITHM);
  return {
    async sign(device, audiences) {
      const issuedAt = Math.floor(options.now() / 1000);
      const expires = issuedAt + LIMITS.accessTokenMs.value / 1000;
      const token = await new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
        .setIssuer(options.issuer)
        .setSubject(device)
        .setAudience([...audiences])
        .setIssuedAt(issuedAt)
        .setExpirationTime(expires)
        .sign(await key);
      const expiresAt = expires * 1000;
      for (const audience of audiences) signed?.add(token, audience, { device, expiresAt });
      return { token, expiresAt };
    },
    jwks: () => ({ keys: [{ ...jwk, kid, alg: ALGORITHM, use: 'sig' }] }),
  };
}

/**
 * `jwks`: the keys themselves (same process) or where they are published. Keys come from there and from nowhere else: a key in a
 * token's header is ignored, `none` and every other algorithm are refused (case S69).
 */
export function createTokenVerifier(options: VerifierOptions): TokenVerifier {
  return verifierFrom(options, new VerifiedTokens());
}

interface VerifierOptions {
  readonly jwks: JSONWebKeySet | URL;
  readonly issuer: string;
  readonly now: () => number;
  /** Of what asks, for the server that publishes the keys, which is one of ours; undefined: none. */
  readonly traceparent?: (() => string | undefined) | undefined;
}

function verifierFrom(options: VerifierOptions, verified: VerifiedTokens): TokenVerifier {
  const { jwks } = options;
  const { keyOf, ready } = jwks instanceof URL ? remoteKeys(jwks, options) : localKeys(jwks);
  const skewMs = LIMITS.clockSkewMs.value;

  /** One that lives longer than any from now on would is of a clock that was ahead, and has ended. */
  function isOver({ expiresAt }: VerifiedToken): boolean {
    const leftMs = expiresAt - options.now();
    return leftMs <= -skewMs || leftMs > LIMITS.accessTokenMs.value + skewMs;
  }

  async function verifyAnew(token: string, audience: Audience): Promise<VerifiedToken> {
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: options.issuer,
        audience,
        currentDate: new Date(options.now()),
        clockTolerance: skewMs / 1000,
        requiredClaims: ['sub', 'exp', 'iat'],
      });
      return { device: parseDeviceId(payload.sub!), expiresAt: payload.exp! * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new TokenError('token-expired', 'the token has ended');
      if (isFetchFailure(error)) throw new KeysUnavailableError('the token keys cannot be fetched', { cause: error });
      throw new TokenError('unauthorized', 'the token is not a good one');
    }
  }

  return {
    async verify(token, audience) {
      const known = verified.find(token, audience);
      if (known) {
        if (isOver(known)) throw new TokenError('token-expired', 'the token has ended');
        return known;
      }
      if (token.length > LIMITS.tokenBytes.value || !isCompactJws(token))
        throw new TokenError('unauthorized', 'the token is not a good one');
      const result = await verifyAnew(token, audience);
      if (isOver(result)) throw new TokenError('token-expired', 'the token has ended');
      verified.add(token, audience, result);
      return result;
    },
    ready,
  };
}

/**
 * Good tokens of late: a signature costs some hundred microseconds, and a client shows the same token with every request. Only what
 * verified, or was signed here, is kept, for the audience it is good for; the end is checked every time. A key taken out of the set is believed for the
 * fifteen minutes that its last tokens live.
 */
class VerifiedTokens {
  readonly #tokens: Readonly<Record<Audience, Map<string, VerifiedToken>>> = {
    api: new Map(),
    directory: new Map(),
    relay: new Map(),
  };

  find(token: string, audience: Audience): VerifiedToken | undefined {
    return this.#tokens[audience].get(token);
  }

  add(token: string, audience: Audience, result: VerifiedToken): void {
    const tokens = this.#tokens[audience];
    if (tokens.size >= MAX_VERIFIED) tokens.delete(tokens.keys().next().value!);
    tokens.set(token, result);
  }
}

/** jose's generic error: the answer was no key set. A TypeError: no answer. */
function isFetchFailure(error: unknown): boolean {
  if (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    (error as Error).name === 'TypeError'
  )
    return true;
  return error instanceof errors.JOSEError && error.code === errors.JOSEError.code;
}

/**
 * Keys that are published elsewhere. The library believes what it fetched for as long as the clock says:
 * when that is set back, it begins anew.
 */
function remoteKeys(
  url: URL,
  { now, traceparent }: { readonly now: () => number; readonly traceparent?: (() => string | undefined) | undefined },
): TokenKeys {
  const asked = traceparent && {
    [customFetch]: (...[address, { headers, ...init }]: Parameters<FetchImplementation>) => {
      const current = traceparent();
      if (current !== undefined) headers.set('traceparent', current);
      return fetch(address, { ...init, headers });
    },
  };
  let newest = now();
  let keys = createRemoteJWKSet(url, asked);
  let wereThere = false;
  return {
    keyOf: (header, token) => {
      const time = now();
      if (time < newest) keys = createRemoteJWKSet(url, asked);
      newest = time;
      return keys(header, token);
    },
    async ready() {
      if (wereThere) return;
      try {
        if (!keys.jwks()) await keys.reload();
        wereThere = true;
      } catch (error) {
        throw new KeysUnavailableError('the token keys cannot be fetched', { cause: error });
      }
    },
  };
}

/** Keys imported once: verification is on the path of every connect. */
function localKeys(jwks: JSONWebKeySet): TokenKeys {
  const keys = new Map<string, Promise<CryptoKey | Uint8Array>>();
  for (const jwk of jwks.keys) if (jwk.kid) keys.set(jwk.kid, importJWK(jwk, ALGORITHM));
  return {
    keyOf: async (header: JWTHeaderParameters) => {
      const key = header.kid === undefined ? undefined : keys.get(header.kid);
      if (!key) throw new errors.JWKSNoMatchingKey();
      return key;
    },
    ready: async () => {},
  };
}

/**
 * Tokens by which one key directory proves to another who it is (docs/spec/lime-key-server.md section 7): EdDSA (Ed25519) JWTs, each for
 * one request, known by the configured key of the domain that it names and by no other. Key, `typ` and audience are not those of access tokens, so
 * that none can pass for the other.
 */

import { isCompactJws } from '@sealwire/access/compact-jws';
import { TokenError } from '@sealwire/access/tokens';
import { nobleCrypto } from '@sealwire/crypto/noble';
import type { RandomBytes } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { canonicalDomainOf, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { decodeJwt, importJWK, jwtVerify, SignJWT } from 'jose';

const ALGORITHM = 'EdDSA';
const TYPE = 'sealwire-peer+jwt';
/** Long enough for a slow network; each works once anyway. */
const LIFE_SECONDS = 60;
const ID_BYTES = 16;
const HASH_BYTES = 32;

export interface PeerRequest {
  /** The domain asked. */
  readonly to: string;
  /** For whom; a device of the asking domain. */
  readonly requester: DeviceId;
  /** SHA-256 of the request's body. */
  readonly bodyHash: Uint8Array;
}

export interface PeerSigner {
  sign(request: PeerRequest): Promise<string>;
  /** Ed25519: what the other side configures. */
  readonly publicKey: Uint8Array;
}

export interface VerifiedPeer {
  /** The directory that asks. */
  readonly domain: string;
  readonly requester: DeviceId;
  readonly bodyHash: Uint8Array;
  /** Of this token alone; good until `expiresAt` (ms), so that it need not be remembered longer. */
  readonly id: Uint8Array;
  readonly expiresAt: number;
}

export interface PeerVerifier {
  /** Throws `TokenError`. Whether the token was used before is the caller's to find out. */
  verify(token: string): Promise<VerifiedPeer>;
}

/** `seed`: 32 bytes, the Ed25519 private key of the directory of `domain`. */
export function createPeerSigner(options: {
  readonly seed: Uint8Array;
  readonly domain: string;
  readonly now: () => number;
  readonly random: RandomBytes;
}): PeerSigner {
  const publicKey = nobleCrypto().ed25519.publicKey(options.seed);
  const jwk = { ...jwkOf(publicKey), d: encodeBase64url(options.seed) };
  const key = importJWK(jwk, ALGORITHM);
  return {
    publicKey,
    async sign({ to, requester, bodyHash }) {
      const issuedAt = Math.floor(options.now() / 1000);
      return new SignJWT({ body: encodeBase64url(bodyHash) })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(options.domain)
        .setAudience(audienceOf(to))
        .setSubject(requester)
        .setJti(encodeBase64url(options.random(ID_BYTES)))
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + LIFE_SECONDS)
        .sign(await key);
    },
  };
}

/** `domain`: ours. `peers`: the Ed25519 public keys of the directories that may ask us, by their domain. */
export function createPeerVerifier(options: {
  readonly domain: string;
  readonly peers: ReadonlyMap<string, Uint8Array>;
  readonly now: () => number;
}): PeerVerifier {
  const keys = new Map([...options.peers].map(([domain, key]) => [domain, importJWK(jwkOf(key), ALGORITHM)]));
  const skew = LIMITS.clockSkewMs.value / 1000;
  return {
    async verify(token) {
      try {
        if (token.length > LIMITS.tokenBytes.value || !isCompactJws(token)) throw new Error('not of the form');
        // Only picks the key, which is the named domain's own: whoever signed with another one fails.
        const issuer = String(decodeJwt(token).iss);
        const key = await keys.get(issuer);
        if (!key) throw new Error('of no peer');
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          typ: TYPE,
          issuer,
          audience: audienceOf(options.domain),
          currentDate: new Date(options.now()),
          clockTolerance: skew,
          maxTokenAge: LIFE_SECONDS,
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'body'],
        });
        const requester = parseDeviceId(String(payload.sub));
        if (canonicalDomainOf(requester) !== issuer) throw new Error('for a device of another domain');
        return {
          domain: issuer,
          requester,
          bodyHash: decoded(payload.body, HASH_BYTES),
          id: decoded(payload.jti, ID_BYTES),
          expiresAt: (payload.iat! + LIFE_SECONDS + skew) * 1000,
        };
      } catch {
        throw new TokenError('unauthorized', 'the token is not of a configured directory');
      }
    },
  };
}

function audienceOf(domain: string): string {
  return `sealwire-directory:${domain}`;
}

function decoded(value: unknown, length: number): Uint8Array {
  const bytes = decodeBase64url(String(value));
  if (bytes.length !== length) throw new Error('a field of another length');
  return bytes;
}

function jwkOf(publicKey: Uint8Array) {
  return { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(publicKey) } as const;
}

/** What is asked of a key server and answered, on which suites; and with which errors. */
import type { CryptoProvider, LimeSuite, SuiteName } from '@sealwire/crypto/port';
import { WireError } from '../wire-error.ts';

/** Of requests and answers alike; anything else is answered with `badContentType`. */
export const LIME_CONTENT_TYPE = 'x3dh/octet-stream';

export const LIME_ERRORS = {
  badContentType: 0x00,
  badCurve: 0x01,
  missingSenderId: 0x02,
  badVersion: 0x03,
  badSize: 0x04,
  userAlreadyIn: 0x05,
  userNotFound: 0x06,
  databaseError: 0x07,
  badRequest: 0x08,
  serverFailure: 0x09,
  limitReached: 0x0a,
} as const;

export type LimeErrorName = keyof typeof LIME_ERRORS;

/**
 * The suites that a key server keeps keys of and a manifest names identities on: those that we speak, and Curve25519 with Kyber-512 of
 * round 3, which liblime 5.4 still has.
 */
export type ServedSuite = SuiteName | 'c25519k512';

/**
 * Lengths in bytes, and the curve id on the wire (sections 2 and 13). `x` is a public prekey, the KEM's public key included: to a key
 * server the suites differ in these sizes and in nothing else.
 */
export const LIME_SUITES: Readonly<Record<ServedSuite, { id: number; x: number; ed: number; signature: number }>> = {
  c25519: { id: 1, x: 32, ed: 32, signature: 64 },
  c448: { id: 2, x: 56, ed: 57, signature: 114 },
  c25519k512: { id: 3, x: 32 + 800, ed: 32, signature: 64 },
  c25519mlk512: { id: 4, x: 32 + 800, ed: 32, signature: 64 },
  c448mlk1024: { id: 5, x: 56 + 1568, ed: 57, signature: 114 },
};

/** All suites, in the order of their ids. */
export const SUITE_NAMES = Object.keys(LIME_SUITES) as readonly ServedSuite[];

/**
 * What keys on `suite` look like, and are checked with: those of the suite of that size. A public key of Kyber-512 has the form of one
 * of ML-KEM-512: twelve bits a coefficient, below q.
 */
export function keyFormOf(
  { suites }: Pick<CryptoProvider, 'suites'>,
  suite: ServedSuite,
): Omit<LimeSuite, 'name' | 'id'> {
  const { x } = LIME_SUITES[suite];
  return Object.values(suites).find(({ prekeyLength }) => prekeyLength === x)!;
}

export interface LimeOneTimePrekey {
  /** 1 to 2^31 - 1 (section 2.2). */
  readonly id: number;
  readonly publicKey: Uint8Array;
}

export interface LimeSignedPrekey {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

export interface LimeBundle {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: LimeSignedPrekey;
  readonly oneTimePrekey?: LimeOneTimePrekey;
}

export type LimeRequest =
  /** Type 01, before liblime 4.3: such a device has no bundle until it posts a signed prekey. */
  | { readonly kind: 'registerIdentity'; readonly suite: ServedSuite; readonly identityKey: Uint8Array }
  | {
      readonly kind: 'registerUser';
      readonly suite: ServedSuite;
      readonly identityKey: Uint8Array;
      readonly signedPrekey: LimeSignedPrekey;
      readonly oneTimePrekeys: readonly LimeOneTimePrekey[];
    }
  | { readonly kind: 'deleteUser'; readonly suite: ServedSuite }
  | { readonly kind: 'postSignedPrekey'; readonly suite: ServedSuite; readonly signedPrekey: LimeSignedPrekey }
  | {
      readonly kind: 'postOneTimePrekeys';
      readonly suite: ServedSuite;
      readonly oneTimePrekeys: readonly LimeOneTimePrekey[];
    }
  /** Device ids as the client wrote them: liblime knows no form, so they need not be ids of ours. */
  | { readonly kind: 'getPeerBundle'; readonly suite: ServedSuite; readonly devices: readonly string[] }
  | { readonly kind: 'getSelfOneTimePrekeys'; readonly suite: ServedSuite };

export type LimeRequestKind = LimeRequest['kind'];

/** One entry a requested device, in the same order; without `bundle` (flag 2) the device has none. */
export interface LimePeer {
  readonly device: string;
  readonly bundle?: LimeBundle | undefined;
}

export type LimeAnswer =
  | { readonly kind: 'ack'; readonly suite: ServedSuite; readonly request: LimeRequestKind }
  | { readonly kind: 'peerBundle'; readonly suite: ServedSuite; readonly peers: readonly LimePeer[] }
  | { readonly kind: 'selfOneTimePrekeys'; readonly suite: ServedSuite; readonly ids: readonly number[] }
  /** `curveId` is the request's, 0 when it had none. `code` is one of `LIME_ERRORS`; a newer server may send another. */
  | { readonly kind: 'error'; readonly curveId: number; readonly code: number; readonly text: string };

/** Why a request is refused, and all that the answer needs: `encodeError(error)`. */
export class LimeRequestError extends WireError {
  constructor(
    readonly limeError: LimeErrorName,
    /** Of the request, 0 when it was too short to have one: liblime ignores an answer on another curve. */
    readonly curveId: number,
    message: string,
  ) {
    super('bad-lime-request', message);
  }
  get limeCode(): number {
    return LIME_ERRORS[this.limeError];
  }
}

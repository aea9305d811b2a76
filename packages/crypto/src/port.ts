/**
 * The primitives that everyone shares, as one synchronous port. Two providers implement it: `noble` (runs everywhere) and
 * `node` (node:crypto where it has the primitive, noble where not). Same bytes in, same bytes out; a differential test holds it.
 *
 * Key arrays are immutable by contract: a provider may cache a native key object under the array's identity.
 */

/** A failure of a primitive. It never says which byte was wrong, and carries no key material. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  constructor(
    readonly code:
      | 'bad-length'
      | 'bad-key'
      | 'low-order'
      | 'authentication-failed'
      | 'output-too-long'
      | 'closed'
      | 'randomness-missing',
    message: string,
  ) {
    super(message);
  }
}

/** Fills and returns a fresh array of `length` bytes. Injected: the composition root decides where randomness comes from. */
export type RandomBytes = (length: number) => Uint8Array;

/** X25519 or X448 (RFC 7748). */
export interface DiffieHellman {
  /** 32 (X25519) or 56 (X448): length of private keys, public keys and shared secrets. */
  readonly keyLength: number;
  /** Any `keyLength` bytes are a private key; clamping happens inside. Throws `bad-length`. */
  publicKey(privateKey: Uint8Array): Uint8Array;
  /** Throws `low-order` when the shared secret would be all zeros, `bad-length` on a wrong length. */
  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** True for a canonical encoding that is not of low order: what a directory may store as a prekey. Never throws. */
  isValidPublicKey(publicKey: Uint8Array): boolean;
}

/** Ed25519, Ed25519ctx with empty context, or Ed448 with empty context (RFC 8032). */
export interface Signatures {
  readonly seedLength: number;
  readonly publicKeyLength: number;
  readonly signatureLength: number;
  publicKey(seed: Uint8Array): Uint8Array;
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /**
   * Strict: canonical encodings only, small-order public keys and R refused, S < L.
   * Returns false for anything wrong, wrong lengths included; never throws on untrusted input.
   */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /**
   * True for a canonical encoding of a point of the prime-order group, not the neutral one: what may come in as
   * anybody's key. Costs a scalar multiplication (0.7 ms, 2 ms on Ed448), so it is asked once, where a key enters,
   * and not with each signature. Never throws.
   */
  isValidPublicKey(publicKey: Uint8Array): boolean;
}

/** AES-256-GCM (SP 800-38D; 12- and 16-byte nonces) or ChaCha20-Poly1305 (RFC 8439; 12). Key 32 bytes, tag 16 bytes appended. */
export interface Aead {
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array;
  /** Throws `authentication-failed`; nothing of the plaintext is released then. */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array;
}

/**
 * ML-KEM-512 or ML-KEM-1024 (FIPS 203), deterministic: randomness is the caller's. The private key is the seed d | z; its expanded form
 * leaves no provider.
 */
export interface Kem {
  /** 64: d | z, drawn at key generation. */
  readonly seedLength: number;
  /** 800 or 1,568. */
  readonly publicKeyLength: number;
  /** 768 or 1,568. */
  readonly ciphertextLength: number;
  /** 32. */
  readonly sharedSecretLength: number;
  /** 32: what one encapsulation draws. Never to be used twice. */
  readonly entropyLength: number;
  /** Throws `bad-length`. */
  publicKey(seed: Uint8Array): Uint8Array;
  /** Throws `bad-key` for a public key with an unreduced coefficient (FIPS 203 section 7.2), `bad-length` on a wrong length. */
  encapsulate(publicKey: Uint8Array, entropy: Uint8Array): { ciphertext: Uint8Array; sharedSecret: Uint8Array };
  /**
   * A ciphertext that was not made for this key gives a secret that its maker does not know, never an error: what is encrypted under it
   * then fails to open. Throws `bad-length`.
   */
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /** True for the right length and reduced coefficients: what a directory may store in a prekey. Never throws. */
  isValidPublicKey(publicKey: Uint8Array): boolean;
}

/** The elliptic curves of LIME, each with its signatures. */
export type CurveName = 'c25519' | 'c448';

/**
 * What a LIME curve id stands for (lime-protocol sections 2 and 13): a curve, and in the hybrid suites a KEM beside it. Data, not code
 * paths: only `crypto` and `lime` know what is inside. A device may have one identity on each.
 */
export type SuiteName = CurveName | 'c25519mlk512' | 'c448mlk1024';

/** All that LIME needs of one suite. */
export interface LimeSuite {
  readonly name: SuiteName;
  /** The curve id byte on the wire. 3 is Kyber-512 of round 3: directories keep its keys (`ServedSuite` of wire), nobody here speaks it. */
  readonly id: 1 | 2 | 4 | 5;
  readonly curve: CurveName;
  readonly dh: DiffieHellman;
  /** Ed25519ctx with empty context, or Ed448 with empty context. */
  readonly signatures: Signatures;
  /** Undefined in the classical suites. */
  readonly kem: Kem | undefined;
  /** A public prekey: the X public key, in hybrid suites followed by the KEM public key. */
  readonly prekeyLength: number;
  /** True for the right length and parts that a directory may store: see `isValidPublicKey` of `dh` and `kem`. Never throws. */
  isValidPrekey(publicKey: Uint8Array): boolean;
  /** Identity seed to X private key (section 2.1). */
  identityToDhPrivate(seed: Uint8Array): Uint8Array;
  /** Identity public key to X public key (section 2.1). Throws `bad-key` when it is no point of the curve, or one of small order. */
  identityToDhPublic(publicKey: Uint8Array): Uint8Array;
}

export interface HashStream {
  update(data: Uint8Array): void;
  /** Once, at the end. */
  digest(): Uint8Array;
}

export interface CryptoProvider {
  /** `noble` or `node`, for logs and benchmarks. */
  readonly name: string;
  readonly x25519: DiffieHellman;
  readonly x448: DiffieHellman;
  readonly ed25519: Signatures;
  readonly ed25519ctx: Signatures;
  readonly ed448: Signatures;
  readonly aes256gcm: Aead;
  readonly chacha20poly1305: Aead;
  readonly mlKem512: Kem;
  readonly mlKem1024: Kem;
  readonly suites: Readonly<Record<SuiteName, LimeSuite>>;
  sha256(data: Uint8Array): Uint8Array;
  sha512(data: Uint8Array): Uint8Array;
  /** For what comes in pieces, as files do. */
  sha256Stream(): HashStream;
  hmacSha384(key: Uint8Array, data: Uint8Array): Uint8Array;
  hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** RFC 5869 with SHA-512. Throws `output-too-long` above 255 * 64 bytes. */
  hkdfSha512(salt: Uint8Array, inputKeyMaterial: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** For secrets and all else: constant time in the contents; false at once when lengths differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}

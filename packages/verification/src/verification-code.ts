/**
 * What one person's device shows and the other's reads with its camera (docs/spec/verification.md section 3): who the two are to the
 * device that shows it, and which list of devices it knows of each. A list that the server shows one of them and hides from the other
 * is seen by it.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { WireError } from '@sealwire/wire/wire-error';
import { FINGERPRINT_BYTES } from './safety-number.ts';

/** A person as one device knows them. */
export interface KnownPerson {
  /** `personFingerprint`. */
  readonly fingerprint: Uint8Array;
  /** Of the newest list of devices that the device has. */
  readonly version: number;
  /** `listDigest` of that list. */
  readonly list: Uint8Array;
}

export interface VerificationCode {
  /** Who shows the code. */
  readonly self: KnownPerson;
  /** Whom it is shown to. */
  readonly peer: KnownPerson;
}

/**
 * `same`: both have each other's account key, and no list of devices contradicts another. `other-keys`: somebody else's code, or somebody
 * is between the two. `forked-list`: two lists of one version. `hidden-list`: the other has a newer list of their own devices than is shown
 * here. `old-list`: the other has an older list of ours than we have; their next look at the server should mend that.
 */
export type CodeComparison = 'same' | 'other-keys' | 'forked-list' | 'hidden-list' | 'old-list';

const PREFIX = 'sealwire-verify-1:';
const LIST_BYTES = 16;
const PERSON_BYTES = FINGERPRINT_BYTES + 4 + LIST_BYTES;
const REFUSED = 'bad-verification-code';

/** 16 bytes of a manifest, as its account key signed it. */
export function listDigest(crypto: CryptoProvider, manifest: Uint8Array): Uint8Array {
  return crypto.sha256(manifest).slice(0, LIST_BYTES);
}

export function formatVerificationCode({ self, peer }: VerificationCode): string {
  const bytes = new Uint8Array(2 * PERSON_BYTES);
  const view = new DataView(bytes.buffer);
  [self, peer].forEach(({ fingerprint, version, list }, index) => {
    const at = index * PERSON_BYTES;
    bytes.set(fingerprint, at);
    view.setUint32(at + FINGERPRINT_BYTES, version);
    bytes.set(list, at + FINGERPRINT_BYTES + 4);
  });
  return PREFIX + encodeBase64url(bytes);
}

/** Throws `WireError` `bad-verification-code`. */
export function parseVerificationCode(text: string): VerificationCode {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) throw new WireError(REFUSED, `a verification code begins with ${PREFIX}`);
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64url(trimmed.slice(PREFIX.length));
  } catch {
    throw new WireError(REFUSED, 'the verification code is not whole: copy it again');
  }
  if (bytes.length !== 2 * PERSON_BYTES)
    throw new WireError(REFUSED, 'the verification code is not whole: copy it again');
  return { self: personAt(bytes, 0), peer: personAt(bytes, PERSON_BYTES) };
}

/** `own`: what this device would show. `scanned`: what the other one shows. */
export function compareCodes(crypto: CryptoProvider, own: VerificationCode, scanned: VerificationCode): CodeComparison {
  const isSamePair =
    crypto.equal(own.peer.fingerprint, scanned.self.fingerprint) &&
    crypto.equal(own.self.fingerprint, scanned.peer.fingerprint);
  if (!isSamePair) return 'other-keys';
  for (const [here, there] of [
    [own.peer, scanned.self],
    [own.self, scanned.peer],
  ] as const)
    if (here.version === there.version && !crypto.equal(here.list, there.list)) return 'forked-list';
  if (own.peer.version < scanned.self.version || own.self.version < scanned.peer.version) return 'hidden-list';
  return scanned.peer.version < own.self.version ? 'old-list' : 'same';
}

function personAt(bytes: Uint8Array, at: number): KnownPerson {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const after = at + FINGERPRINT_BYTES;
  return {
    fingerprint: bytes.slice(at, after),
    version: view.getUint32(after),
    list: bytes.slice(after + 4, at + PERSON_BYTES),
  };
}

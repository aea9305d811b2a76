/**
 * The account manifest: the list of an account's devices, signed by the account key, versioned and hash-chained
 * (docs/spec/manifest.md). A device outside the newest manifest is never encrypted to.
 */
import type { CurveName } from '@sealwire/crypto/port';
import type { AccountAddress, DeviceId } from './ids.ts';

/** A LIME identity: a device may have one on each curve, in its order of preference (lime-protocol section 13: (device id, curve id) names it). */
export interface DeviceIdentity {
  readonly curve: CurveName;
  /** EdDSA public key, 32 (c25519) or 57 (c448) bytes. */
  readonly identityKey: Uint8Array;
}

export interface ManifestDevice {
  readonly id: DeviceId;
  /** One or two, no curve twice. People on different curves can talk because a device may have an identity on both. */
  readonly identities: readonly DeviceIdentity[];
  readonly loginKey: Uint8Array;
  readonly addedAt: number;
}

export interface Manifest {
  readonly address: AccountAddress;
  /** 1, 2, 3, … without holes. */
  readonly version: number;
  /** SHA-256 of the bytes of the version before; 32 zero bytes in version 1. */
  readonly previous: Uint8Array;
  readonly issuedAt: number;
  readonly devices: readonly ManifestDevice[];
}

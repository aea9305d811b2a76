/** Prekeys as the directory hands them out, and what must hold before one is used (lime-protocol sections 3.3 and 6.1). */
import type { CryptoProvider, LimeSuite } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';

export interface PublicPrekey {
  /** u31, never 0. */
  readonly id: number;
  readonly publicKey: Uint8Array;
}

export interface PublicSignedPrekey extends PublicPrekey {
  /** By the device's identity key, over the bytes of `publicKey` and nothing else. */
  readonly signature: Uint8Array;
}

export interface PrekeyBundle {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: PublicSignedPrekey;
  readonly oneTimePrekey?: PublicPrekey | undefined;
}

/** One entry of the directory's answer. Without `bundle`: the directory has none (flag 2). */
export interface PeerBundle {
  readonly device: DeviceId;
  readonly bundle?: PrekeyBundle | undefined;
}

/** True when every length is the curve's and the signed prekey's signature verifies. Low order shows at the agreement. */
export function isSoundBundle(crypto: CryptoProvider, curve: LimeSuite, bundle: PrekeyBundle): boolean {
  const { identityKey, signedPrekey, oneTimePrekey } = bundle;
  const { keyLength } = curve.dh;
  if (signedPrekey.publicKey.length !== keyLength) return false;
  if (oneTimePrekey && oneTimePrekey.publicKey.length !== keyLength) return false;
  return crypto.suites[curve.name].signatures.verify(identityKey, signedPrekey.publicKey, signedPrekey.signature);
}

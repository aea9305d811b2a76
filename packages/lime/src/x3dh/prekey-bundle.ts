/** Prekeys as the directory hands them out, and what must hold before one is used (lime-protocol sections 3.3 and 6.1). */
import type { LimeSuite } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { splitPrekey } from '../keys/kem-keys.ts';

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

/**
 * True when every length is the suite's, the signed prekey's signature verifies and KEM keys are reduced: the signed one is not used before
 * the first message is on its way. Low order shows at the agreement.
 */
export function isSoundBundle(suite: LimeSuite, bundle: PrekeyBundle): boolean {
  const { identityKey, signedPrekey, oneTimePrekey } = bundle;
  const prekeys = oneTimePrekey ? [signedPrekey, oneTimePrekey] : [signedPrekey];
  if (prekeys.some(({ publicKey }) => publicKey.length !== suite.prekeyLength)) return false;
  if (!suite.signatures.verify(identityKey, signedPrekey.publicKey, signedPrekey.signature)) return false;
  return prekeys.every(({ publicKey }) => hasSoundKemKey(suite, publicKey));
}

function hasSoundKemKey(suite: LimeSuite, publicKey: Uint8Array): boolean {
  const { kem } = splitPrekey(suite, publicKey);
  return kem === undefined || suite.kem!.isValidPublicKey(kem);
}

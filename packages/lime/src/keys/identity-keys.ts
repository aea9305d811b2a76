/** Identity keys Ik: EdDSA keys that are also used, converted, for key agreement (lime-protocol section 2.1). */
import type { LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import { OwnDhPrivate, PeerDhKey } from './dh-keys.ts';
import { Secret } from './secret.ts';

/** The secret is the EdDSA seed. */
export class OwnIdentity extends Secret {
  override get kind() {
    return 'OwnIdentity' as const;
  }

  #forAgreement: OwnDhPrivate | undefined;

  constructor(
    seed: Uint8Array,
    readonly publicKey: Uint8Array,
  ) {
    super(seed);
  }

  /** Converted once and kept: the provider's native key lives as long as the array. */
  forAgreement(suite: LimeSuite): OwnDhPrivate {
    this.#forAgreement ??= new OwnDhPrivate(suite.identityToDhPrivate(this.reveal()));
    return this.#forAgreement;
  }
}

export class PeerIdentity {
  get kind() {
    return 'PeerIdentity' as const;
  }

  /** EdDSA public key. */
  constructor(readonly bytes: Uint8Array) {}

  /** Throws CryptoError `bad-key` when the bytes are no point of the curve. */
  forAgreement(suite: LimeSuite): PeerDhKey {
    return new PeerDhKey(suite.identityToDhPublic(this.bytes));
  }
}

export function newIdentity(suite: LimeSuite, random: RandomBytes): OwnIdentity {
  const seed = random(suite.signatures.seedLength);
  return new OwnIdentity(seed, suite.signatures.publicKey(seed));
}

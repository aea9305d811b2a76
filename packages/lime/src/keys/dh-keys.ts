/** X25519 and X448 keys: prekeys, ephemeral and ratchet keys. An own key and a peer's are two types and cannot be swapped. */
import type { LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import { Secret } from './secret.ts';

/** A private key alone: of a converted identity key nobody needs the public half. */
export class OwnDhPrivate extends Secret {
  override get kind(): 'OwnDhPrivate' | 'OwnDhKey' {
    return 'OwnDhPrivate';
  }
}

export class OwnDhKey extends OwnDhPrivate {
  override get kind(): 'OwnDhKey' {
    return 'OwnDhKey';
  }

  constructor(
    privateKey: Uint8Array,
    readonly publicKey: Uint8Array,
  ) {
    super(privateKey);
  }
}

export class PeerDhKey {
  get kind() {
    return 'PeerDhKey' as const;
  }

  constructor(readonly bytes: Uint8Array) {}
}

/** A fresh pair from `random`: any bytes are a private key, clamping happens in the ladder. */
export function newDhKey(suite: LimeSuite, random: RandomBytes): OwnDhKey {
  const privateKey = random(suite.dh.keyLength);
  return new OwnDhKey(privateKey, suite.dh.publicKey(privateKey));
}

/** Throws CryptoError `low-order`: an all-zero secret would be known to everybody. */
export function agree(suite: LimeSuite, own: OwnDhPrivate, peer: PeerDhKey): Uint8Array {
  return suite.dh.sharedSecret(own.reveal(), peer.bytes);
}

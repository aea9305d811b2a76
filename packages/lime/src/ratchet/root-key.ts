/** The root key: KDF_RK of the paper (lime-protocol section 7.2). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Secret } from '../keys/secret.ts';
import { CHAIN_KEY_BYTES, ChainKey } from './chain-key.ts';

export const ROOT_KEY_BYTES = 32;
const ROOT_INFO = new TextEncoder().encode('DR Root Chain Key Derivation');

export class RootKey extends Secret {
  override get kind() {
    return 'RootKey' as const;
  }
}

/** HKDF(salt = RK, ikm = shared secret, info, 64) = RK'[32] | CK[32]. The shared secret is wiped. */
export function rootKeyStep(
  crypto: CryptoProvider,
  rootKey: RootKey,
  sharedSecret: Uint8Array,
): { rootKey: RootKey; chainKey: ChainKey } {
  const output = crypto.hkdfSha512(rootKey.reveal(), sharedSecret, ROOT_INFO, ROOT_KEY_BYTES + CHAIN_KEY_BYTES);
  sharedSecret.fill(0);
  return {
    rootKey: new RootKey(output.subarray(0, ROOT_KEY_BYTES)),
    chainKey: new ChainKey(output.subarray(ROOT_KEY_BYTES)),
  };
}

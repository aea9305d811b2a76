/** The chain key: KDF_CK of the paper (lime-protocol section 7.2), in its two halves. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { MESSAGE_KEY_BYTES, MessageKey } from './message-key.ts';
import { Secret } from './secret.ts';

export const CHAIN_KEY_BYTES = 32;
const MESSAGE_LABEL = Uint8Array.of(0x01);
const CHAIN_LABEL = Uint8Array.of(0x02);

export class ChainKey extends Secret {
  override get kind() {
    return 'ChainKey' as const;
  }
}

/** MK = HMAC(CK, 01)[0..48]. */
export function messageKeyOf(crypto: CryptoProvider, chain: ChainKey): MessageKey {
  return new MessageKey(crypto.hmacSha512(chain.reveal(), MESSAGE_LABEL).subarray(0, MESSAGE_KEY_BYTES));
}

/** CK' = HMAC(CK, 02)[0..32]. */
export function nextChainKey(crypto: CryptoProvider, chain: ChainKey): ChainKey {
  return new ChainKey(crypto.hmacSha512(chain.reveal(), CHAIN_LABEL).subarray(0, CHAIN_KEY_BYTES));
}

/**
 * The chain key: KDF_CK of the paper (lime-protocol section 7.2), in its two halves. In hybrid suites the number of the message in its
 * chain is part of the label.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { Secret } from '../keys/secret.ts';
import { MESSAGE_KEY_BYTES, MessageKey } from './message-key.ts';

export const CHAIN_KEY_BYTES = 32;
const MESSAGE_LABEL = 0x01;
const CHAIN_LABEL = 0x02;

export class ChainKey extends Secret {
  override get kind() {
    return 'ChainKey' as const;
  }
}

/** MK = HMAC(CK, 01 [| u16 index])[0..48]. `index`: in hybrid suites, and only there. */
export function messageKeyOf(crypto: CryptoProvider, chain: ChainKey, index?: number): MessageKey {
  return new MessageKey(crypto.hmacSha512(chain.reveal(), label(MESSAGE_LABEL, index)).subarray(0, MESSAGE_KEY_BYTES));
}

/** CK' = HMAC(CK, 02 [| u16 index])[0..32]. `index` as above: of the message whose key this chain key gives. */
export function nextChainKey(crypto: CryptoProvider, chain: ChainKey, index?: number): ChainKey {
  return new ChainKey(crypto.hmacSha512(chain.reveal(), label(CHAIN_LABEL, index)).subarray(0, CHAIN_KEY_BYTES));
}

function label(purpose: number, index: number | undefined): Uint8Array {
  return index === undefined ? Uint8Array.of(purpose) : Uint8Array.of(purpose, index >>> 8, index);
}

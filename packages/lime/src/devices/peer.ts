/**
 * What is remembered of a peer device: its identity key, which must not change while it is remembered
 * (lime-protocol section 11), and what keeps replaced signed prekeys from coming back.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';

export interface Peer {
  readonly identityKey: Uint8Array;
  /** Signed prekeys that sessions were started with, the newest first. */
  readonly signedPrekeyIds: readonly number[];
}

/** True when `identityKey` contradicts what is stored. */
export function isChangedIdentity(crypto: CryptoProvider, peer: Peer | undefined, identityKey: Uint8Array): boolean {
  return peer !== undefined && !crypto.equal(peer.identityKey, identityKey);
}

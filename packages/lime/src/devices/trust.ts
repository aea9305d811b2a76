/** What is believed about peer devices: the tables of lime-protocol section 11. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { LimeError } from '../errors.ts';

/** `fail` and `unknown` are answers, never stored. */
export type PeerStatus = 'untrusted' | 'trusted' | 'unsafe' | 'unknown' | 'fail';

export interface Peer {
  readonly status: 'untrusted' | 'trusted' | 'unsafe';
  /** Undefined only for a device that was called unsafe before any key of it was seen. */
  readonly identityKey: Uint8Array | undefined;
  /** Signed prekeys that sessions were started with, the newest first. */
  readonly signedPrekeyIds: readonly number[];
}

/** True when `identityKey` contradicts what is stored. An unsafe device without a key takes the first one seen. */
export function isChangedIdentity(crypto: CryptoProvider, peer: Peer | undefined, identityKey: Uint8Array): boolean {
  return peer?.identityKey !== undefined && !crypto.equal(peer.identityKey, identityKey);
}

/** The peer after a first success with `identityKey`: untrusted when new, otherwise unchanged but for a missing key. */
export function metPeer(peer: Peer | undefined, identityKey: Uint8Array): Peer {
  if (!peer) return { status: 'untrusted', identityKey, signedPrekeyIds: [] };
  return peer.identityKey ? peer : { ...peer, identityKey };
}

/**
 * The user's word on a device. Undefined: the call changes nothing. Throws LimeError `identity-changed` when a device is to be trusted
 * with another key than the stored one: that takes `deletePeer` first.
 */
export function judgedPeer(
  crypto: CryptoProvider,
  peer: Peer | undefined,
  status: PeerStatus,
  identityKey: Uint8Array | undefined,
): Peer | undefined {
  switch (status) {
    case 'trusted':
      if (!identityKey) return undefined;
      if (isChangedIdentity(crypto, peer, identityKey)) {
        throw new LimeError(
          'identity-changed',
          'the device is stored with another identity key; delete the peer first',
        );
      }
      return { ...metPeer(peer, identityKey), status: 'trusted' };
    case 'untrusted':
      return peer?.status === 'trusted' ? { ...peer, status: 'untrusted' } : undefined;
    case 'unsafe':
      return peer ? { ...peer, status: 'unsafe' } : { status: 'unsafe', identityKey: undefined, signedPrekeyIds: [] };
    case 'unknown':
    case 'fail':
      return undefined;
  }
}

const WORST_FIRST = ['unsafe', 'unknown', 'untrusted', 'trusted'] as const;

/** The lowest of unsafe < unknown < untrusted < trusted; `unknown` for an empty list. */
export function lowestStatus(statuses: readonly (typeof WORST_FIRST)[number][]): PeerStatus {
  return WORST_FIRST.find((status) => statuses.includes(status)) ?? 'unknown';
}

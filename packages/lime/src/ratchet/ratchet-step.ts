/** What a step of the ratchet mixes into the root key: the secret of a DH step, or of a KEM step (docs/spec/lime.md sections 5 and 15.2). */
import type { CryptoProvider, LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import { LimeError } from '../errors.ts';
import type { RatchetMessage } from '../format/message.ts';
import { agree, type OwnDhKey, type PeerDhKey } from '../keys/dh-keys.ts';
import { type KemState, kemOf, kemReceivingStep, kemSendingStep, namesPeerKey } from './kem-ratchet.ts';

/** Input of KDF_RK, and the KEM state after the step; undefined in classical suites. */
export interface StepSecret {
  readonly secret: Uint8Array;
  readonly kem: KemState | undefined;
}

/** With the fresh `own`. `kemStep`: wanted, and made where the peer has announced a key for it. Throws CryptoError `low-order`. */
export function sendingSecret(
  crypto: CryptoProvider,
  suite: LimeSuite,
  kem: KemState | undefined,
  own: OwnDhKey,
  peer: PeerDhKey,
  kemStep: boolean,
  random: RandomBytes,
): StepSecret {
  const dhSecret = agree(suite, own, peer);
  if (!kem?.peerKey || !(kemStep || kem.forced)) return { secret: dhSecret, kem };
  const keys = { dhSecret, ownDh: own.publicKey, peerDh: peer.bytes };
  const stepped = kemSendingStep(crypto, kemOf(suite), { ...kem, peerKey: kem.peerKey }, keys, random);
  return { secret: stepped.secret, kem: stepped.state };
}

/**
 * For a message under a new DH key. Which step it is, the header says; what it says is bound by the message's tag. Throws LimeError
 * `authentication-failed` for a header that no step of the peer can have made, CryptoError `low-order`.
 */
export function receivedSecret(
  crypto: CryptoProvider,
  suite: LimeSuite,
  kem: KemState | undefined,
  own: OwnDhKey,
  message: RatchetMessage,
  now: number,
): StepSecret {
  const header = message.kem;
  if (!kem || !header) return { secret: agree(suite, own, message.key), kem };
  if (header.form === 'indexes') {
    if (namesPeerKey(crypto, kem, header)) return { secret: agree(suite, own, message.key), kem };
    throw new LimeError('authentication-failed', 'a new chain that names a KEM key which the peer has not announced');
  }
  if (!kem.own) throw new LimeError('authentication-failed', 'a KEM step to a key that the peer has used before');
  const keys = { dhSecret: agree(suite, own, message.key), ownDh: own.publicKey, peerDh: message.key.bytes };
  const stepped = kemReceivingStep(crypto, kemOf(suite), { ...kem, own: kem.own }, header, keys, now);
  return { secret: stepped.secret, kem: stepped.state };
}

/**
 * The KEM half of the ratchet (docs/spec/lime.md, "Hybrid suites"). Some ratchet steps mix in, besides the DH secret, one that is
 * encapsulated to the KEM key that the peer announced last. Each announced key is encapsulated to once; the answer announces the next.
 *
 * State is plain data and never changed, as in ratchet.ts.
 */
import type { CryptoProvider, Kem, LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import { concat } from '../bytes/concat.ts';
import type { KemHeader } from '../format/message.ts';
import { encapsulate, kemIndex, newKemKey, type OwnKemKey } from '../keys/kem-keys.ts';
import type { LimeSettings } from '../settings.ts';

export interface KemState {
  /** Our newest KEM key, until the peer has encapsulated to it: then it is of no more use and forgotten. */
  readonly own: OwnKemKey | undefined;
  /** What goes into every header until the peer has shown that it has it. */
  readonly announced: { readonly publicKey: Uint8Array; readonly ciphertext: Uint8Array } | undefined;
  readonly ownIndex: Uint8Array | undefined;
  /** The peer's newest public key, until we have encapsulated to it. */
  readonly peerKey: Uint8Array | undefined;
  readonly peerIndex: Uint8Array | undefined;
  /** The next sending step is a KEM step whatever the policy says: the first one of a session. */
  readonly forced: boolean;
  /** Messages sent and received since the last KEM step of the peer. */
  readonly messages: number;
  /** When that was, in ms since 1970. */
  readonly steppedAt: number;
}

const FRESH = { announced: undefined, ownIndex: undefined, peerIndex: undefined, forced: true, messages: 0 } as const;

/** The initiator encapsulates to the responder's signed prekey with its first message. */
export function initiatorKem(signedPrekey: Uint8Array, now: number): KemState {
  return { ...FRESH, own: undefined, peerKey: signedPrekey, steppedAt: now };
}

export function responderKem(signedPrekey: OwnKemKey, now: number): KemState {
  return { ...FRESH, own: signedPrekey, peerKey: undefined, steppedAt: now };
}

/** Whether the next sending step should be a KEM step, where the peer has announced a key for it: it costs a kilobyte or three a header. */
export function isKemStepDue(state: KemState | undefined, settings: LimeSettings, now: number): boolean {
  if (!state) return false;
  const age = now - state.steppedAt;
  // A step in the future is of a clock that was ahead.
  return state.forced || state.messages > settings.kemStepMessages || age > settings.kemStepEveryMs || age < 0;
}

/**
 * The sending half: `secret` is the input of KDF_RK with the new DH key `ownDh`. The DH secret is wiped.
 * Throws CryptoError `bad-key`.
 */
export function kemSendingStep(
  crypto: CryptoProvider,
  kem: Kem,
  state: KemState & { readonly peerKey: Uint8Array },
  keys: { readonly dhSecret: Uint8Array; readonly ownDh: Uint8Array; readonly peerDh: Uint8Array },
  random: RandomBytes,
): { state: KemState; secret: Uint8Array } {
  const { ciphertext, sharedSecret } = encapsulate(kem, state.peerKey, random);
  const secret = mixed(keys.dhSecret, sharedSecret, keys.ownDh, keys.peerDh, state.peerKey, ciphertext);
  const own = newKemKey(kem, random);
  const { publicKey } = own;
  const ownIndex = kemIndex(crypto, publicKey, ciphertext);
  const announced = { publicKey, ciphertext };
  return { state: { ...state, own, announced, ownIndex, peerKey: undefined, forced: false }, secret };
}

/**
 * The receiving half, for a header of the long form. The ciphertext may be anybody's: a wrong one gives a secret under which nothing opens.
 * The DH secret is wiped.
 */
export function kemReceivingStep(
  crypto: CryptoProvider,
  kem: Kem,
  state: KemState & { readonly own: OwnKemKey },
  header: KemHeader & { readonly form: 'keys' },
  keys: { readonly dhSecret: Uint8Array; readonly ownDh: Uint8Array; readonly peerDh: Uint8Array },
  now: number,
): { state: KemState; secret: Uint8Array } {
  const { publicKey, ciphertext } = header;
  const sharedSecret = kem.decapsulate(state.own.reveal(), ciphertext);
  const secret = mixed(keys.dhSecret, sharedSecret, keys.peerDh, keys.ownDh, state.own.publicKey, ciphertext);
  const stepped: KemState = {
    ...state,
    own: undefined,
    announced: undefined,
    peerKey: publicKey,
    peerIndex: kemIndex(crypto, publicKey, ciphertext),
    messages: 0,
    steppedAt: now,
  };
  return { state: stepped, secret };
}

/** After an authentic message: `count` more were exchanged, and the peer may have named our newest key. */
export function afterMessages(
  crypto: CryptoProvider,
  state: KemState | undefined,
  header: KemHeader | undefined,
  count: number,
): KemState | undefined {
  if (!state) return undefined;
  const counted = { ...state, messages: state.messages + count };
  const isKnown =
    header?.form === 'indexes' && state.ownIndex !== undefined && crypto.equal(header.receiver, state.ownIndex);
  return isKnown ? { ...counted, announced: undefined } : counted;
}

/** What this side's next header says. */
export function kemHeaderOf({ announced, ownIndex, peerIndex }: KemState): KemHeader {
  if (announced) return { form: 'keys', ...announced };
  if (!ownIndex || !peerIndex) throw new TypeError('a hybrid session sends nothing before its first KEM step');
  return { form: 'indexes', sender: ownIndex, receiver: peerIndex };
}

/** True when a header of the short form belongs to the KEM keys of now: what it names as its sender's is what the peer announced last. */
export function namesPeerKey(
  crypto: CryptoProvider,
  state: KemState,
  header: KemHeader & { readonly form: 'indexes' },
): boolean {
  return state.peerIndex !== undefined && crypto.equal(header.sender, state.peerIndex);
}

/** The KEM of a suite whose sessions have a KEM state. */
export function kemOf(suite: LimeSuite): Kem {
  if (!suite.kem) throw new TypeError(`${suite.name} has no KEM`);
  return suite.kem;
}

/** DH secret | KEM secret | sender's DH key | receiver's DH key | KEM public key | ciphertext. Both secrets are wiped. */
function mixed(
  dhSecret: Uint8Array,
  kemSecret: Uint8Array,
  senderDh: Uint8Array,
  receiverDh: Uint8Array,
  publicKey: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const secret = concat(dhSecret, kemSecret, senderDh, receiverDh, publicKey, ciphertext);
  dhSecret.fill(0);
  kemSecret.fill(0);
  return secret;
}

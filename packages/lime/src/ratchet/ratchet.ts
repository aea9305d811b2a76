/**
 * The Double Ratchet (lime-protocol section 7). State is plain data and never changed: each function gives a new state, and the caller
 * commits it once everything about the message is authentic.
 *
 * The second half of a ratchet step (a new own key) waits until the next message is sent: the wire is the same, an own key that is no
 * longer needed is gone at once, and decryption needs no randomness.
 */
import type { CryptoProvider, RandomBytes, SuiteName } from '@sealwire/crypto/port';
import { concat } from '../bytes/concat.ts';
import { LimeError } from '../errors.ts';
import { encodeHeader, type RatchetMessage } from '../format/message.ts';
import { newDhKey, type OwnDhKey, PeerDhKey } from '../keys/dh-keys.ts';
import { hybridSettings, type LimeSettings } from '../settings.ts';
import { type ChainKey, messageKeyOf, nextChainKey } from './chain-key.ts';
import { afterMessages, type KemState, kemHeaderOf } from './kem-ratchet.ts';
import { openOnce, sealOnce } from './message-key.ts';
import { isPastChain, NO_PAST_CHAINS, type PastChains, withPastChain } from './past-chains.ts';
import { receivedSecret, sendingSecret } from './ratchet-step.ts';
import { type RootKey, rootKeyStep } from './root-key.ts';
import {
  aged,
  findSkippedKey,
  NO_SKIPPED_KEYS,
  type SkippedKeys,
  skippedChainOf,
  skippedEntries,
  withoutSkippedKey,
  withSkippedKeys,
} from './skipped-keys.ts';

/** Nr is the number after the last one, and a u16. */
const LAST_NUMBER = 0xfffe;

/** AD in its parts, to be joined once with what follows: every copy costs as much as a hash block. */
export type AssociatedData = readonly Uint8Array[];

export interface RatchetState {
  readonly suite: SuiteName;
  /** SharedAD: bound into every message of the session. */
  readonly sharedData: Uint8Array;
  readonly rootKey: RootKey;
  /** DHs. Absent between receiving on a new chain and the next sending. */
  readonly own: OwnDhKey | undefined;
  /** DHr. Absent in a responder that has received nothing. */
  readonly peer: PeerDhKey | undefined;
  /** CKs; present together with `own`, except in a responder that has received nothing. */
  readonly sendingChain: ChainKey | undefined;
  /** CKr. Absent, not zero, in an initiator without an answer: a zero key would be known to everybody. */
  readonly receivingChain: ChainKey | undefined;
  /** Ns, PN, Nr. */
  readonly sent: number;
  readonly previousSent: number;
  readonly received: number;
  /** The X3DH init to repeat until the first answer. */
  readonly init: Uint8Array | undefined;
  readonly skipped: SkippedKeys;
  readonly pastChains: PastChains;
  /** Undefined in classical suites. */
  readonly kem: KemState | undefined;
}

/** Just after X3DH. The initiator knows the responder's signed prekey as `peer`, the responder has it as `own`. */
export function initialRatchet(
  start: Pick<RatchetState, 'suite' | 'sharedData' | 'rootKey' | 'own' | 'peer' | 'init'> &
    Partial<Pick<RatchetState, 'kem'>>,
): RatchetState {
  return {
    kem: undefined,
    ...start,
    sendingChain: undefined,
    receivingChain: undefined,
    sent: 0,
    previousSent: 0,
    received: 0,
    skipped: NO_SKIPPED_KEYS,
    pastChains: NO_PAST_CHAINS,
  };
}

/**
 * Section 7.4. `associatedData`: section 8's AD, without SharedAD and header. `kemStep`: when a ratchet step is due, it is to be a KEM step,
 * if the peer has announced a key for it.
 */
export function ratchetEncrypt(
  crypto: CryptoProvider,
  state: RatchetState,
  input: {
    readonly payload: Uint8Array;
    readonly direct: boolean;
    readonly associatedData: AssociatedData;
    readonly kemStep?: boolean;
  },
  random: RandomBytes,
): { state: RatchetState; message: Uint8Array } {
  const ready = withSendingChain(crypto, state, random, input.kemStep);
  const header = encodeHeader(
    crypto.suites[ready.suite],
    input.direct,
    ready.init,
    ready.sent,
    ready.previousSent,
    ready.own.publicKey,
    ready.kem && kemHeaderOf(ready.kem),
  );
  const bound = concat(...input.associatedData, ready.sharedData, header);
  const index = indexIn(ready, ready.sent);
  const sealed = sealOnce(crypto, messageKeyOf(crypto, ready.sendingChain, index), input.payload, bound);
  return {
    state: {
      ...ready,
      sendingChain: nextChainKey(crypto, ready.sendingChain, index),
      sent: ready.sent + 1,
      kem: afterMessages(crypto, ready.kem, undefined, 1),
    },
    message: concat(header, sealed),
  };
}

type SendingState = RatchetState & { readonly own: OwnDhKey; readonly sendingChain: ChainKey };

/** The sending half of a ratchet step, when it is due: a new own key, `(RK, CKs) = KDF_RK(RK, DH(DHs, DHr))`. */
export function withSendingChain(
  crypto: CryptoProvider,
  state: RatchetState,
  random: RandomBytes,
  kemStep = false,
): SendingState {
  if (hasSendingChain(state)) return state;
  const { peer, kem } = state;
  if (!peer) throw new TypeError('a responder sends nothing before it has received');
  const suite = crypto.suites[state.suite];
  const own = newDhKey(suite, random);
  const step = sendingSecret(crypto, suite, kem, own, peer, kemStep, random);
  const { rootKey, chainKey } = rootKeyStep(crypto, state.rootKey, step.secret);
  return { ...state, rootKey, own, sendingChain: chainKey, kem: step.kem };
}

/** The index that KDF_CK takes in for message `number` of a chain: none in classical suites. */
function indexIn({ kem }: RatchetState, number: number): number | undefined {
  return kem && number;
}

function hasSendingChain(state: RatchetState): state is SendingState {
  return state.own !== undefined && state.sendingChain !== undefined;
}

/**
 * Section 7.5. Throws LimeError `duplicate`, `too-far`, `authentication-failed`, or CryptoError (`authentication-failed`,
 * `low-order`); the old state stays good. The payload is the plaintext, or the seed of a cipherMessage that is still to be opened.
 */
export function ratchetDecrypt(
  crypto: CryptoProvider,
  state: RatchetState,
  message: RatchetMessage,
  associatedData: AssociatedData,
  allSettings: LimeSettings,
  now: number,
): { state: RatchetState; payload: Uint8Array } {
  const settings = state.kem ? hybridSettings(allSettings) : allSettings;
  const bound = concat(...associatedData, state.sharedData, message.header);
  const early = findSkippedKey(crypto, state.skipped, message.key.bytes, message.number);
  if (early) {
    const payload = openOnce(crypto, early.chain.keyAt(early.at), message.sealed, bound);
    const kem = afterMessages(crypto, state.kem, message.kem, 0);
    return { state: { ...state, kem, skipped: withoutSkippedKey(state.skipped, early) }, payload };
  }
  const { stepped, chain, gaps } = receivingSide(crypto, state, message, settings, now);

  // Only chain keys on the way to this message; message keys for the gaps are derived once the header has proved authentic.
  const current = passOver(crypto, stepped, chain, message.number);
  const index = indexIn(state, message.number);
  const payload = openOnce(crypto, messageKeyOf(crypto, current.end, index), message.sealed, bound);

  const allGaps = [...gaps, { peerKey: message.key.bytes, first: stepped.received, chainKeys: current.passed }];
  return {
    state: {
      ...stepped,
      receivingChain: nextChainKey(crypto, current.end, index),
      received: message.number + 1,
      init: undefined,
      kem: afterMessages(crypto, stepped.kem, message.kem, current.passed.length + 1),
      skipped: keepGaps(crypto, stepped, aged(state.skipped, settings.skippedChainMessages), allGaps, settings),
    },
    payload,
  };
}

/** A stretch of a chain whose messages have not arrived. */
interface Gap {
  readonly peerKey: Uint8Array;
  readonly first: number;
  readonly chainKeys: readonly ChainKey[];
}

/** The state with the chain that `message` belongs to, after a ratchet step where its key is new; bounds are checked before any derivation. */
function receivingSide(
  crypto: CryptoProvider,
  state: RatchetState,
  message: RatchetMessage,
  settings: LimeSettings,
  now: number,
): { stepped: RatchetState; chain: ChainKey; gaps: Gap[] } {
  const { key, number } = message;
  const { peer, receivingChain } = state;
  if (number > LAST_NUMBER) throw new LimeError('too-far', 'no chain is that long');

  if (peer && crypto.equal(peer.bytes, key.bytes)) {
    // An initiator's first `peer` is a public prekey and has no chain: nothing can have been encrypted on it.
    if (!receivingChain) throw new LimeError('authentication-failed', 'no chain was begun with this ratchet key');
    if (number < state.received) throw new LimeError('duplicate', 'decrypted before, or its key is no longer kept');
    requireGap(number - state.received, settings);
    return { stepped: state, chain: receivingChain, gaps: [] };
  }
  if (isPastChain(state.pastChains, key.bytes) || skippedChainOf(crypto, state.skipped, key.bytes)) {
    throw new LimeError('duplicate', 'decrypted before, or its key is no longer kept');
  }
  if (!state.own)
    throw new LimeError('authentication-failed', 'a new ratchet key, though none of ours was sent since the last');

  const missed = peer && receivingChain ? Math.max(0, message.previousLength - state.received) : 0;
  requireGap(missed + number, settings);
  const suite = crypto.suites[state.suite];
  const { secret, kem } = receivedSecret(crypto, suite, state.kem, state.own, message, now);
  const { rootKey, chainKey } = rootKeyStep(crypto, state.rootKey, secret);
  const stepped: RatchetState = {
    ...state,
    rootKey,
    kem,
    own: undefined,
    peer: new PeerDhKey(key.bytes),
    sendingChain: undefined,
    previousSent: state.sent,
    sent: 0,
    received: 0,
  };
  if (!peer || !receivingChain) return { stepped, chain: chainKey, gaps: [] };
  const old = passOver(crypto, state, receivingChain, state.received + missed);
  return {
    stepped: { ...stepped, pastChains: withPastChain(state.pastChains, peer.bytes, settings.pastChainsRemembered) },
    chain: chainKey,
    gaps: [{ peerKey: peer.bytes, first: state.received, chainKeys: old.passed }],
  };
}

function requireGap(keys: number, settings: LimeSettings): void {
  if (keys <= settings.skippedKeysPerMessage) return;
  throw new LimeError(
    'too-far',
    `${keys} messages are missing before this one; at most ${settings.skippedKeysPerMessage} may`,
  );
}

/** From the next message of `chain`, which is the state's `received`, to message `until`. */
function passOver(
  crypto: CryptoProvider,
  state: RatchetState,
  chain: ChainKey,
  until: number,
): { passed: ChainKey[]; end: ChainKey } {
  const passed: ChainKey[] = [];
  let end = chain;
  for (let number = state.received; number < until; number += 1) {
    passed.push(end);
    end = nextChainKey(crypto, end, indexIn(state, number));
  }
  return { passed, end };
}

function keepGaps(
  crypto: CryptoProvider,
  state: RatchetState,
  skipped: SkippedKeys,
  gaps: readonly Gap[],
  settings: LimeSettings,
): SkippedKeys {
  return gaps.reduce((kept, gap) => {
    const keys = gap.chainKeys.map((chainKey, i) => messageKeyOf(crypto, chainKey, indexIn(state, gap.first + i)));
    const entries = skippedEntries(gap.first, keys);
    return withSkippedKeys(crypto, kept, gap.peerKey, entries, settings.skippedKeysPerSession);
  }, skipped);
}

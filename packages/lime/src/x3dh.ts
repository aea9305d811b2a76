/** X3DH (lime-protocol section 6): from keys to the first ratchet state, on both sides. */
import type { CryptoProvider, LimeSuite, RandomBytes, SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { concat, deviceBytes } from './associated-data.ts';
import { agree, newDhKey, type OwnDhKey, PeerDhKey } from './dh-keys.ts';
import { type OwnIdentity, PeerIdentity } from './identity-keys.ts';
import type { PrekeyBundle } from './prekey-bundle.ts';
import { initialRatchet, type RatchetState } from './ratchet.ts';
import { ROOT_KEY_BYTES, RootKey } from './root-key.ts';
import { encodeX3dhInit, type X3dhInit } from './x3dh-init.ts';

const utf8 = new TextEncoder();
const ZERO_SALT = new Uint8Array(64);
const SECRET_INFO = utf8.encode('Lime');
const SHARED_DATA_INFO = utf8.encode('X3DH Associated Data');
const SHARED_DATA_BYTES = 32;

/** A session just agreed, and the ephemeral key that names it. */
export interface Agreement {
  readonly ratchet: RatchetState;
  /** Ek of the initiator, public. */
  readonly ephemeralKey: Uint8Array;
}

export interface InitiatorInput {
  readonly curve: SuiteName;
  readonly own: { readonly device: DeviceId; readonly identity: OwnIdentity };
  readonly peer: DeviceId;
  /** Already verified: signature, and identity key against the stored one. */
  readonly bundle: PrekeyBundle;
}

/** Throws CryptoError `low-order` or `bad-key`. */
export function agreeAsInitiator(crypto: CryptoProvider, input: InitiatorInput, random: RandomBytes): Agreement {
  const curve = crypto.suites[input.curve];
  const { own, peer, bundle } = input;
  const peerIdentity = new PeerIdentity(bundle.identityKey);
  const ephemeral = newDhKey(curve, random);
  const secrets = initiatorSecrets(curve, {
    identity: own.identity,
    ephemeral,
    peerIdentity,
    signedPrekey: new PeerDhKey(bundle.signedPrekey.publicKey),
    oneTimePrekey: bundle.oneTimePrekey && new PeerDhKey(bundle.oneTimePrekey.publicKey),
  });
  const ratchet = initialRatchet({
    curve: input.curve,
    sharedData: sharedData(crypto, own.identity.publicKey, bundle.identityKey, own.device, peer),
    rootKey: sharedSecretKey(crypto, curve, secrets),
    own: undefined,
    peer: new PeerDhKey(bundle.signedPrekey.publicKey),
    init: encodeX3dhInit({
      identityKey: own.identity.publicKey,
      ephemeralKey: ephemeral.publicKey,
      signedPrekeyId: bundle.signedPrekey.id,
      oneTimePrekeyId: bundle.oneTimePrekey?.id,
    }),
  });
  return { ratchet, ephemeralKey: ephemeral.publicKey };
}

export interface ResponderInput {
  readonly curve: SuiteName;
  readonly own: { readonly device: DeviceId; readonly identity: OwnIdentity };
  readonly peer: DeviceId;
  readonly init: X3dhInit;
  /** The prekeys that `init` names. */
  readonly signedPrekey: OwnDhKey;
  readonly oneTimePrekey: OwnDhKey | undefined;
}

/** Throws CryptoError `low-order` or `bad-key`. */
export function agreeAsResponder(crypto: CryptoProvider, input: ResponderInput): Agreement {
  const curve = crypto.suites[input.curve];
  const { own, peer, init, signedPrekey, oneTimePrekey } = input;
  const secrets = responderSecrets(curve, {
    identity: own.identity,
    signedPrekey,
    oneTimePrekey,
    peerIdentity: init.identityKey,
    ephemeralKey: init.ephemeralKey,
  });
  const ratchet = initialRatchet({
    curve: input.curve,
    sharedData: sharedData(crypto, init.identityKey.bytes, own.identity.publicKey, peer, own.device),
    rootKey: sharedSecretKey(crypto, curve, secrets),
    own: signedPrekey,
    peer: undefined,
    init: undefined,
  });
  return { ratchet, ephemeralKey: init.ephemeralKey.bytes };
}

/** DH1, DH2, DH3 and, with a one-time prekey, DH4, as the initiator computes them (section 6.2). */
export function initiatorSecrets(
  curve: LimeSuite,
  keys: {
    readonly identity: OwnIdentity;
    readonly ephemeral: OwnDhKey;
    readonly peerIdentity: PeerIdentity;
    readonly signedPrekey: PeerDhKey;
    readonly oneTimePrekey: PeerDhKey | undefined;
  },
): Uint8Array[] {
  const { identity, ephemeral, peerIdentity, signedPrekey, oneTimePrekey } = keys;
  const secrets = [
    agree(curve, identity.forAgreement(curve), signedPrekey),
    agree(curve, ephemeral, peerIdentity.forAgreement(curve)),
    agree(curve, ephemeral, signedPrekey),
  ];
  if (oneTimePrekey) secrets.push(agree(curve, ephemeral, oneTimePrekey));
  return secrets;
}

/** The same secrets, as the responder computes them. */
export function responderSecrets(
  curve: LimeSuite,
  keys: {
    readonly identity: OwnIdentity;
    readonly signedPrekey: OwnDhKey;
    readonly oneTimePrekey: OwnDhKey | undefined;
    readonly peerIdentity: PeerIdentity;
    readonly ephemeralKey: PeerDhKey;
  },
): Uint8Array[] {
  const { identity, signedPrekey, oneTimePrekey, peerIdentity, ephemeralKey } = keys;
  const secrets = [
    agree(curve, signedPrekey, peerIdentity.forAgreement(curve)),
    agree(curve, identity.forAgreement(curve), ephemeralKey),
    agree(curve, signedPrekey, ephemeralKey),
  ];
  if (oneTimePrekey) secrets.push(agree(curve, oneTimePrekey, ephemeralKey));
  return secrets;
}

/** SK = HKDF(64 zeros, F | DH1 | …, "Lime", 32). F has the length of an EdDSA key, not of a DH key. Wipes `secrets`. */
export function sharedSecretKey(crypto: CryptoProvider, curve: LimeSuite, secrets: readonly Uint8Array[]): RootKey {
  const prefix = new Uint8Array(curve.signatures.publicKeyLength).fill(0xff);
  const material = concat(prefix, ...secrets);
  const key = new RootKey(crypto.hkdfSha512(ZERO_SALT, material, SECRET_INFO, ROOT_KEY_BYTES));
  for (const secret of [material, ...secrets]) secret.fill(0);
  return key;
}

/** SharedAD (section 6.3): initiator first, whoever computes it. */
export function sharedData(
  crypto: CryptoProvider,
  initiatorIdentity: Uint8Array,
  responderIdentity: Uint8Array,
  initiator: DeviceId,
  responder: DeviceId,
): Uint8Array {
  const material = concat(initiatorIdentity, responderIdentity, deviceBytes(initiator), deviceBytes(responder));
  return crypto.hkdfSha512(ZERO_SALT, material, SHARED_DATA_INFO, SHARED_DATA_BYTES);
}

/** X3DH (lime-protocol section 6): from keys to the first ratchet state, on both sides. */
import type { CryptoProvider, LimeSuite, RandomBytes, SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { concat } from '../bytes/concat.ts';
import { deviceBytes } from '../bytes/names.ts';
import { encodeX3dhInit, type X3dhInit } from '../format/x3dh-init.ts';
import { agree, newDhKey, type OwnDhKey, PeerDhKey } from '../keys/dh-keys.ts';
import { type OwnIdentity, PeerIdentity } from '../keys/identity-keys.ts';
import { encapsulate, splitPrekey } from '../keys/kem-keys.ts';
import type { OwnPrekey } from '../keys/own-prekey.ts';
import { initiatorKem, kemOf, responderKem } from '../ratchet/kem-ratchet.ts';
import { initialRatchet, type RatchetState } from '../ratchet/ratchet.ts';
import { ROOT_KEY_BYTES, RootKey } from '../ratchet/root-key.ts';
import type { PrekeyBundle } from './prekey-bundle.ts';

const utf8 = new TextEncoder();
const ZERO_SALT = new Uint8Array(64);
const SECRET_INFO: Readonly<Record<SuiteName, Uint8Array>> = {
  c25519: utf8.encode('Lime'),
  c448: utf8.encode('Lime'),
  c25519mlk512: utf8.encode('Lime_CURVE25519_SHA512_MLKEM512'),
  c448mlk1024: utf8.encode('Lime_CURVE448_SHA512_MLKEM1024'),
};
const SHARED_DATA_INFO = utf8.encode('X3DH Associated Data');
const SHARED_DATA_BYTES = 32;

/** A session just agreed, and the ephemeral key that names it. */
export interface Agreement {
  readonly ratchet: RatchetState;
  /** Ek of the initiator, public. */
  readonly ephemeralKey: Uint8Array;
}

export interface InitiatorInput {
  readonly suite: SuiteName;
  readonly own: { readonly device: DeviceId; readonly identity: OwnIdentity };
  readonly peer: DeviceId;
  /** Already verified: signature, and identity key against the stored one. */
  readonly bundle: PrekeyBundle;
  readonly now: number;
}

/** What a hybrid suite adds to the shared secret: a secret of the KEM, and all public values that the secrets came from. */
export interface KemContribution {
  readonly secret: Uint8Array;
  readonly transcript: readonly Uint8Array[];
}

/** Throws CryptoError `low-order` or `bad-key`. */
export function agreeAsInitiator(crypto: CryptoProvider, input: InitiatorInput, random: RandomBytes): Agreement {
  const suite = crypto.suites[input.suite];
  const { own, peer, bundle } = input;
  const peerIdentity = new PeerIdentity(bundle.identityKey);
  const signedPrekey = splitPrekey(suite, bundle.signedPrekey.publicKey);
  const oneTimePrekey = bundle.oneTimePrekey && splitPrekey(suite, bundle.oneTimePrekey.publicKey);
  const ephemeral = newDhKey(suite, random);
  const secrets = initiatorSecrets(suite, {
    identity: own.identity,
    ephemeral,
    peerIdentity,
    signedPrekey: new PeerDhKey(signedPrekey.dh),
    oneTimePrekey: oneTimePrekey && new PeerDhKey(oneTimePrekey.dh),
  });
  const kemKey = (oneTimePrekey ?? signedPrekey).kem;
  const encapsulated = kemKey && encapsulate(kemOf(suite), kemKey, random);
  const kem = encapsulated && {
    secret: encapsulated.sharedSecret,
    transcript: [
      own.identity.publicKey,
      ephemeral.publicKey,
      bundle.identityKey,
      signedPrekey.dh,
      ...(oneTimePrekey ? [oneTimePrekey.dh] : []),
      kemKey,
      encapsulated.ciphertext,
    ],
  };
  const ratchet = initialRatchet({
    suite: input.suite,
    sharedData: sharedData(crypto, own.identity.publicKey, bundle.identityKey, own.device, peer),
    rootKey: sharedSecretKey(crypto, suite, secrets, kem),
    own: undefined,
    peer: new PeerDhKey(signedPrekey.dh),
    kem: signedPrekey.kem && initiatorKem(signedPrekey.kem, input.now),
    init: encodeX3dhInit({
      identityKey: own.identity.publicKey,
      ephemeralKey: ephemeral.publicKey,
      ciphertext: encapsulated?.ciphertext,
      signedPrekeyId: bundle.signedPrekey.id,
      oneTimePrekeyId: bundle.oneTimePrekey?.id,
    }),
  });
  return { ratchet, ephemeralKey: ephemeral.publicKey };
}

export interface ResponderInput {
  readonly suite: SuiteName;
  readonly own: { readonly device: DeviceId; readonly identity: OwnIdentity };
  readonly peer: DeviceId;
  readonly init: X3dhInit;
  /** The prekeys that `init` names. */
  readonly signedPrekey: OwnPrekey;
  readonly oneTimePrekey: OwnPrekey | undefined;
  readonly now: number;
}

/** Throws CryptoError `low-order` or `bad-key`. A KEM ciphertext for another key is no error here: nothing opens under what it gives. */
export function agreeAsResponder(crypto: CryptoProvider, input: ResponderInput): Agreement {
  const suite = crypto.suites[input.suite];
  const { own, peer, init, signedPrekey, oneTimePrekey } = input;
  const secrets = responderSecrets(suite, {
    identity: own.identity,
    signedPrekey: signedPrekey.key,
    oneTimePrekey: oneTimePrekey?.key,
    peerIdentity: init.identityKey,
    ephemeralKey: init.ephemeralKey,
  });
  const kemKey = (oneTimePrekey ?? signedPrekey).kem;
  const kem =
    kemKey && init.ciphertext
      ? {
          secret: kemOf(suite).decapsulate(kemKey.reveal(), init.ciphertext),
          transcript: [
            init.identityKey.bytes,
            init.ephemeralKey.bytes,
            own.identity.publicKey,
            signedPrekey.key.publicKey,
            ...(oneTimePrekey ? [oneTimePrekey.key.publicKey] : []),
            kemKey.publicKey,
            init.ciphertext,
          ],
        }
      : undefined;
  const ratchet = initialRatchet({
    suite: input.suite,
    sharedData: sharedData(crypto, init.identityKey.bytes, own.identity.publicKey, peer, own.device),
    rootKey: sharedSecretKey(crypto, suite, secrets, kem),
    own: signedPrekey.key,
    peer: undefined,
    kem: signedPrekey.kem && responderKem(signedPrekey.kem, input.now),
    init: undefined,
  });
  return { ratchet, ephemeralKey: init.ephemeralKey.bytes };
}

/** DH1, DH2, DH3 and, with a one-time prekey, DH4, as the initiator computes them (section 6.2). */
export function initiatorSecrets(
  suite: LimeSuite,
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
    agree(suite, identity.forAgreement(suite), signedPrekey),
    agree(suite, ephemeral, peerIdentity.forAgreement(suite)),
    agree(suite, ephemeral, signedPrekey),
  ];
  if (oneTimePrekey) secrets.push(agree(suite, ephemeral, oneTimePrekey));
  return secrets;
}

/** The same secrets, as the responder computes them. */
export function responderSecrets(
  suite: LimeSuite,
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
    agree(suite, signedPrekey, peerIdentity.forAgreement(suite)),
    agree(suite, identity.forAgreement(suite), ephemeralKey),
    agree(suite, signedPrekey, ephemeralKey),
  ];
  if (oneTimePrekey) secrets.push(agree(suite, oneTimePrekey, ephemeralKey));
  return secrets;
}

/**
 * SK = HKDF(64 zeros, F | DH1 | … [| KEM secret | transcript], "Lime…", 32). F has the length of an EdDSA key, not of a DH key.
 * Wipes `secrets` and the KEM's.
 */
export function sharedSecretKey(
  crypto: CryptoProvider,
  suite: LimeSuite,
  secrets: readonly Uint8Array[],
  kem?: KemContribution,
): RootKey {
  const prefix = new Uint8Array(suite.signatures.publicKeyLength).fill(0xff);
  const material = concat(prefix, ...secrets, ...(kem ? [kem.secret, ...kem.transcript] : []));
  const key = new RootKey(crypto.hkdfSha512(ZERO_SALT, material, SECRET_INFO[suite.name], ROOT_KEY_BYTES));
  for (const secret of [material, ...secrets, ...(kem ? [kem.secret] : [])]) secret.fill(0);
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

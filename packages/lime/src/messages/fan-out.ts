/** One plaintext to many devices (lime-protocol section 8): sessions found or begun, one form for all, all ratchets saved at once. */
import { CryptoError } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { type RecipientUser, recipientUserBytes } from '../bytes/names.ts';
import type { LimeContext } from '../context.ts';
import { LimeError, type LimeErrorCode } from '../errors.ts';
import { isKemStepDue } from '../ratchet/kem-ratchet.ts';
import { ratchetEncrypt } from '../ratchet/ratchet.ts';
import type { OwnDevice } from '../records/device-record.ts';
import type { Peer } from '../records/peer-record.ts';
import type { Session } from '../records/session-record.ts';
import type { LimeChange } from '../records/store.ts';
import { hybridSettings } from '../settings.ts';
import { isSoundBundle, type PeerBundle, type PrekeyBundle } from '../x3dh/prekey-bundle.ts';
import { agreeAsInitiator } from '../x3dh/x3dh.ts';
import { associatedDataOf } from './associated-data.ts';
import { type SealedCipherMessage, sealCipherMessage } from './cipher-message.ts';
import { DEFAULT_POLICY, isDirect, type Policy } from './policy.ts';
import { retired } from './session-turns.ts';

export interface EncryptInput {
  readonly recipientUser: RecipientUser;
  readonly recipients: readonly DeviceId[];
  readonly plaintext: Uint8Array;
  readonly policy?: Policy;
  /** The directory's answer for `devicesWithoutSession`. */
  readonly bundles?: readonly PeerBundle[];
  /** Made by `sealCipherMessage` for the same source, user and plaintext: all recipients then get the seed form with it. */
  readonly cipher?: SealedCipherMessage;
}

export interface EncryptedFor {
  readonly device: DeviceId;
  readonly message?: Uint8Array;
  /** Why there is no message. */
  readonly error?: LimeErrorCode;
}

export interface EncryptOutput {
  /** One per recipient asked for, in the same order. */
  readonly recipients: EncryptedFor[];
  /** Empty in the direct form. */
  readonly cipherMessage: Uint8Array;
}

/** A recipient with a session, stored or just begun. */
interface Target {
  readonly device: DeviceId;
  readonly session: Session;
  /** The peer's record, when this call changes it. */
  readonly met: Peer | undefined;
}

const NO_CIPHER_MESSAGE = new Uint8Array(0);

/** See `Lime.encrypt`. */
export function encryptToDevices(context: LimeContext, me: DeviceId, input: EncryptInput): EncryptOutput {
  const own = context.records.activeDevice(me);
  const bundles = new Map(input.bundles?.map((entry) => [entry.device, entry.bundle]));
  refuseChangedIdentities(context, input.recipients, bundles);

  const found = new Map<DeviceId, Target | LimeErrorCode>();
  for (const device of input.recipients) {
    if (!found.has(device)) found.set(device, targetFor(context, me, own, device, bundles.get(device)));
  }
  const targets = [...found.values()].filter((target) => typeof target !== 'string');
  const user = recipientUserBytes(input.recipientUser);
  const cipher = cipherFor(context, me, input, user, targets.length);
  const payload = cipher ? cipher.seed.reveal() : input.plaintext;

  const changes: LimeChange[] = [];
  const messages = new Map<DeviceId, Uint8Array>();
  for (const target of targets) {
    const associatedData = associatedDataOf(me, target.device, user, cipher?.cipherMessage);
    const { ratchet } = target.session;
    const kemStep = isKemStepDue(ratchet.kem, context.settings, context.now());
    const step = { payload, direct: !cipher, associatedData, kemStep };
    const { state, message } = ratchetEncrypt(context.crypto, ratchet, step, context.random);
    messages.set(target.device, message);
    changes.push(...advanced(context, me, target, { ...target.session, ratchet: state }));
  }
  context.records.save(changes);
  if (cipher && cipher !== input.cipher) cipher.seed.wipe();
  return {
    recipients: answers(input.recipients, found, messages),
    cipherMessage: cipher?.cipherMessage ?? NO_CIPHER_MESSAGE,
  };
}

/** Another identity key than the stored one stops the whole call: the user decides before anybody gets anything. */
function refuseChangedIdentities(
  { records }: LimeContext,
  recipients: readonly DeviceId[],
  bundles: ReadonlyMap<DeviceId, PrekeyBundle | undefined>,
): void {
  const changed = recipients.filter((device) => {
    const bundle = bundles.get(device);
    return bundle && records.isChangedIdentity(device, bundle.identityKey);
  });
  if (changed.length === 0) return;
  throw new LimeError('identity-changed', `another identity key than before: ${changed.join(', ')}`, changed);
}

function targetFor(
  context: LimeContext,
  me: DeviceId,
  own: OwnDevice,
  device: DeviceId,
  bundle: PrekeyBundle | undefined,
): Target | LimeErrorCode {
  const session = context.records.findActiveSession(me, device);
  if (session) return { device, session, met: undefined };
  if (!bundle) return 'no-bundle';
  // The signature comes before any key agreement: an unsigned prekey must not touch our identity key.
  if (!isSoundBundle(context.crypto.suites[own.suite], bundle)) return 'bad-bundle';
  const { id } = bundle.signedPrekey;
  const known = context.records.findPeer(device)?.signedPrekeyIds ?? [];
  if (known.includes(id) && known[0] !== id) return 'superseded-signed-prekey';
  const begun = beginSession(context, me, own, device, bundle);
  if (!begun) return 'bad-bundle';
  const signedPrekeyIds = [id, ...known.filter((each) => each !== id)];
  const met = {
    identityKey: bundle.identityKey,
    signedPrekeyIds: signedPrekeyIds.slice(0, context.settings.signedPrekeyIdsRemembered),
  };
  return { device, session: begun, met };
}

/** Undefined when a key of the bundle is of low order or no point of the curve. */
function beginSession(
  context: LimeContext,
  me: DeviceId,
  own: OwnDevice,
  peer: DeviceId,
  bundle: PrekeyBundle,
): Session | undefined {
  const now = context.now();
  const keys = { suite: own.suite, own: { device: me, identity: own.identity }, peer, bundle, now };
  try {
    const { ratchet, ephemeralKey } = agreeAsInitiator(context.crypto, keys, context.random);
    return { role: 'initiator', ephemeralKey, staleSince: undefined, ratchet };
  } catch (error) {
    if (error instanceof CryptoError && (error.code === 'low-order' || error.code === 'bad-key')) return undefined;
    throw error;
  }
}

function cipherFor(
  { crypto, random }: LimeContext,
  source: DeviceId,
  input: EncryptInput,
  recipientUser: Uint8Array,
  recipients: number,
): SealedCipherMessage | undefined {
  if (input.cipher) return input.cipher;
  const { plaintext, policy = DEFAULT_POLICY } = input;
  if (recipients === 0 || isDirect(policy, plaintext.length, recipients)) return undefined;
  return sealCipherMessage(crypto, { random, source, recipientUser, plaintext });
}

/** A session with a full sending chain is given up for sending; it still reads what is late, and answers. */
function advanced(context: LimeContext, me: DeviceId, target: Target, session: Session): LimeChange[] {
  const { records } = context;
  const settings = session.ratchet.kem ? hybridSettings(context.settings) : context.settings;
  const isFull = session.ratchet.sent >= settings.sendingChainMessages;
  const changes = isFull
    ? retired(context, me, target.device, session)
    : [records.activeSessionChange(me, target.device, session)];
  if (target.met) changes.push(records.peerChange(target.device, target.met));
  return changes;
}

function answers(
  recipients: readonly DeviceId[],
  found: ReadonlyMap<DeviceId, Target | LimeErrorCode>,
  messages: ReadonlyMap<DeviceId, Uint8Array>,
): EncryptedFor[] {
  const answered = new Set<DeviceId>();
  return recipients.map((device) => {
    if (answered.has(device)) return { device, error: 'duplicate-recipient' };
    answered.add(device);
    const target = found.get(device)!;
    if (typeof target === 'string') return { device, error: target };
    return { device, message: messages.get(device)! };
  });
}

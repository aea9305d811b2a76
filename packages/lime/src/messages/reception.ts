/** One message from a peer device (lime-protocol sections 6.5, 7.5 and 9). Nothing is saved before all of it is authentic. */
import { CryptoError } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { type RecipientUser, recipientUserBytes } from '../bytes/names.ts';
import type { LimeContext } from '../context.ts';
import { LimeError, type LimeErrorCode } from '../errors.ts';
import { decodeMessage, type RatchetMessage, TAG_BYTES } from '../format/message.ts';
import type { X3dhInit } from '../format/x3dh-init.ts';
import { type AssociatedData, ratchetDecrypt } from '../ratchet/ratchet.ts';
import type { OwnDevice } from '../records/device-record.ts';
import type { Session } from '../records/session-record.ts';
import type { LimeChange } from '../records/store.ts';
import { agreeAsResponder } from '../x3dh/x3dh.ts';
import { associatedDataOf } from './associated-data.ts';
import { CipherSeed, openCipherMessage } from './cipher-message.ts';
import { activated } from './session-turns.ts';

export interface DecryptInput {
  readonly sender: DeviceId;
  readonly recipientUser: RecipientUser;
  /** The ratchet message for this device. */
  readonly message: Uint8Array;
  /** Empty in the direct form. */
  readonly cipherMessage: Uint8Array;
}

/** One message, parsed, and what all attempts to read it need. */
interface Attempt {
  readonly context: LimeContext;
  readonly me: DeviceId;
  readonly own: OwnDevice;
  readonly sender: DeviceId;
  readonly recipientUser: Uint8Array;
  readonly message: RatchetMessage;
  readonly cipherMessage: Uint8Array;
  readonly associatedData: AssociatedData;
  /** The session with the sender that is active now. */
  readonly active: Session | undefined;
}

interface Opened {
  readonly session: Session;
  readonly plaintext: Uint8Array;
}

/** See `Lime.decrypt`. */
export function decryptMessage(context: LimeContext, me: DeviceId, input: DecryptInput): Uint8Array {
  const { records } = context;
  const { sender } = input;
  const attempt = prepare(context, me, input);
  const { init } = attempt.message;
  const known = init ? sessionOfInit(attempt, init) : undefined;
  const { opened, changes } =
    init && !known
      ? openAsResponder(attempt, init)
      : { opened: known ? openIn(attempt, known) : openInAny(attempt), changes: [] };
  records.save([...activated(context, me, sender, opened.session, attempt.active), ...changes]);
  return opened.plaintext;
}

function prepare(context: LimeContext, me: DeviceId, input: DecryptInput): Attempt {
  const own = context.records.activeDevice(me);
  const { sender, cipherMessage } = input;
  const isDirect = cipherMessage.length === 0;
  if (!isDirect && cipherMessage.length < TAG_BYTES) throw new LimeError('malformed', 'the cipherMessage is too short');
  const message = decodeMessage(context.crypto.suites[own.suite], input.message, isDirect);
  const recipientUser = recipientUserBytes(input.recipientUser);
  const associatedData = associatedDataOf(sender, me, recipientUser, isDirect ? undefined : cipherMessage);
  const active = context.records.findActiveSession(me, sender);
  return { context, me, own, sender, recipientUser, message, cipherMessage, associatedData, active };
}

/**
 * The session that an earlier message with the same init began. The ephemeral key names it, so no other session needs to be tried:
 * a flood of first messages costs no key agreements in the sessions that are there.
 */
function sessionOfInit({ context, me, sender, active }: Attempt, init: X3dhInit): Session | undefined {
  const { crypto, records } = context;
  const ephemeralKey = init.ephemeralKey.bytes;
  if (active?.role === 'responder' && crypto.equal(active.ephemeralKey, ephemeralKey)) return active;
  return records.findStaleSession(me, sender, { role: 'responder', ephemeralKey });
}

/** What a failure in one of several sessions says about the message, the most telling first. */
const TELLING: readonly LimeErrorCode[] = ['duplicate', 'too-far', 'authentication-failed'];

/** The active session, then the stale ones, the longest stale first. */
function openInAny(attempt: Attempt): Opened {
  const { context, me, sender, active } = attempt;
  const failures: LimeError[] = [];
  for (const sessions of [() => (active ? [active] : []), () => context.records.staleSessions(me, sender)]) {
    for (const session of sessions()) {
      try {
        return openIn(attempt, session);
      } catch (error) {
        if (!(error instanceof LimeError)) throw error;
        failures.push(error);
      }
    }
  }
  failures.sort((a, b) => TELLING.indexOf(a.code) - TELLING.indexOf(b.code));
  throw failures[0] ?? new LimeError('no-session', `no session with ${sender}, and the message begins none`, [sender]);
}

/** The ratchet message, and the cipherMessage with it: only both together are a success. */
function openIn(attempt: Attempt, session: Session): Opened {
  const { context, sender, recipientUser, message, cipherMessage, associatedData } = attempt;
  const { crypto, settings } = context;
  return refusing(() => {
    const { state, payload } = ratchetDecrypt(
      crypto,
      session.ratchet,
      message,
      associatedData,
      settings,
      context.now(),
    );
    const plaintext = message.direct
      ? payload
      : openCipherMessage(crypto, new CipherSeed(payload), cipherMessage, sender, recipientUser);
    return { session: { ...session, ratchet: state }, plaintext };
  });
}

/** Section 6.5. The one-time prekey goes only with the commit: a forged first message burns none. */
function openAsResponder(attempt: Attempt, init: X3dhInit): { opened: Opened; changes: LimeChange[] } {
  const { context, me, own, sender } = attempt;
  const { crypto, records, settings } = context;
  const signedPrekey = own.signedPrekeys.find(({ id }) => id === init.signedPrekeyId);
  if (!signedPrekey) throw new LimeError('unknown-signed-prekey', 'the signed prekey is not, or no longer, kept');
  if (records.hasSeenInit(me, init)) {
    throw new LimeError('replayed-init', `a first message of ${sender} whose session is gone`, [sender]);
  }
  if (init.oneTimePrekeyId === undefined && records.countInits(me, init) >= settings.rememberedInitsPerPeer) {
    throw new LimeError('too-many-inits', `${sender} begins sessions without end`, [sender]);
  }
  const oneTimePrekey =
    init.oneTimePrekeyId === undefined ? undefined : records.findOneTimePrekey(me, init.oneTimePrekeyId);
  if (init.oneTimePrekeyId !== undefined && !oneTimePrekey) {
    throw new LimeError('unknown-one-time-prekey', 'the one-time prekey is used, expired, or not of this device');
  }
  if (records.isChangedIdentity(sender, init.identityKey.bytes)) {
    throw new LimeError('identity-changed', `another identity key than before: ${sender}`, [sender]);
  }
  const { ratchet, ephemeralKey } = refusing(() =>
    agreeAsResponder(crypto, {
      suite: own.suite,
      own: { device: me, identity: own.identity },
      peer: sender,
      init,
      signedPrekey,
      oneTimePrekey,
      now: context.now(),
    }),
  );
  const opened = openIn(attempt, { role: 'responder', ephemeralKey, staleSince: undefined, ratchet });
  const met = { identityKey: init.identityKey.bytes, signedPrekeyIds: [] };
  return {
    opened,
    changes: [
      oneTimePrekey ? records.oneTimePrekeyRemoval(me, oneTimePrekey.id) : records.initChange(me, init),
      ...(records.findPeer(sender) ? [] : [records.peerChange(sender, met)]),
    ],
  };
}

/** One error for all that a forger could cause inside the cryptography. */
function refusing<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof CryptoError && error.code !== 'randomness-missing') {
      throw new LimeError('authentication-failed', 'the message is not authentic for this session');
    }
    throw error;
  }
}

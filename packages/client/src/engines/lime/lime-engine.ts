/**
 * The first engine: LIME (lime-protocol; packages/lime), one `Lime` per suite on which this device has an identity. Every recipient is
 * served on the first of its suites, in the order that its account signed, that is ours too: never on a later one because the directory has
 * no keys for that, or a directory could choose the weakest (S16); all of them share one cipherMessage (section 13, multi-algorithm encrypt), unless
 * few devices or a short text make the direct form smaller: it has no shared part that one recipient could replace for another (S30).
 *
 * The manifest decides who a device is: a bundle or a first message with another identity key than the manifest's is refused
 * (cases D18, S49), whatever LIME itself has stored.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import { sealCipherMessage } from '@sealwire/lime/cipher-message';
import { LimeError } from '@sealwire/lime/errors';
import { Lime } from '@sealwire/lime/lime';
import { isDirect as isDirectForm } from '@sealwire/lime/policy';
import type { Part } from '@sealwire/wire/frames';
import { type DeviceId, nameOf } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import { decryptFile, decryptRange } from '../../files/file-decryption.ts';
import { FileEncryption, type FileParts } from '../../files/file-encryption.ts';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import type {
  DeviceKeys,
  EncryptionEngine,
  EngineContext,
  EngineDevice,
  EngineFactory,
  EngineResult,
  EngineSessions,
  EngineSetup,
  FileHooks,
  KeysFinding,
  OutgoingDraft,
  ReceivedMessage,
  SealedMessage,
  Unserved,
} from '../engine.ts';
import { LimeDirectory } from './lime-directory.ts';
import { failed, failureOf, isOfTheSession, noCommonSuite } from './lime-failures.ts';
import { checkLimeKeys } from './lime-keys-check.ts';
import { limeStoreOver } from './lime-records.ts';

/** The suites of this device; stored under LIME's older word for them. */
const SUITES_KEY = 'lime/curves';
/** Where a message of the Double Ratchet names its suite, as a curve id (lime-protocol section 7.3). */
const CURVE_ID_AT = 2;
const NO_BYTES = new Uint8Array(0);

/** Recipients on one suite, with the bundles of those that have no session yet. */
interface Group {
  readonly suite: SuiteName;
  readonly devices: readonly DeviceId[];
  readonly bundles: Awaited<ReturnType<LimeDirectory['bundles']>>;
}

interface Gathered {
  readonly groups: readonly Group[];
  /** Devices that cannot be encrypted to now: they get an empty part, and say so to their user. */
  readonly unreachable: readonly Unserved[];
}

export const limeEngine: EngineFactory = (setup) => new LimeEngine(setup);

class LimeEngine implements EncryptionEngine, DeviceKeys, EngineSessions {
  readonly id = 'lime';
  readonly keys = this;
  readonly sessions = this;
  readonly files: FileHooks;
  readonly #setup: EngineSetup;

  constructor(setup: EngineSetup) {
    this.#setup = setup;
    const { crypto, floe = crypto, random } = setup;
    const parts: FileParts = { floe, sha256Stream: crypto.sha256Stream, random };
    this.files = {
      encrypt: (size, plaintext) => new FileEncryption(parts, size, plaintext),
      decrypt: (file, sealed) => decryptFile(parts, file, sealed),
      decryptRange: (file, read, start, end) => decryptRange(parts.floe, file, read, start, end),
    };
  }

  createDevice(suites: readonly SuiteName[], transaction: Transaction): DeviceIdentity[] {
    transaction.set(SUITES_KEY, encodeRecord({ curves: suites }));
    return suites.map((suite) => ({
      suite,
      identityKey: this.#lime(suite, transaction).createDevice(this.#setup.device, suite).identityKey,
    }));
  }

  async publish(context: EngineContext): Promise<void> {
    for (const suite of suitesIn(context.records)) await this.#register(suite, context);
  }

  async upkeep(context: EngineContext): Promise<void> {
    const me = this.#setup.device;
    for (const suite of suitesIn(context.records)) {
      if (!this.#lime(suite, context.records).updateDue(me)) continue;
      const directory = new LimeDirectory(suite, context);
      const held = await directory.ownOneTimePrekeys();
      const update = await context.commit((transaction) => this.#lime(suite, transaction).update(me, held));
      if (update.registerAgain) await directory.register(update.registerAgain);
      if (update.oneTimePrekeys.length > 0) await directory.postOneTimePrekeys(update.oneTimePrekeys);
      if (update.signedPrekey) await directory.postSignedPrekey(update.signedPrekey);
    }
  }

  async checkKeys(context: EngineContext): Promise<readonly KeysFinding[]> {
    const findings: KeysFinding[] = [];
    for (const suite of suitesIn(context.records)) {
      const lime = (records: Records | Transaction) => this.#lime(suite, records);
      const found = await checkLimeKeys({ me: this.#setup.device, suite, context, lime });
      if (found) findings.push(found);
    }
    return findings;
  }

  async gather(draft: OutgoingDraft, context: EngineContext): Promise<EngineResult<Gathered>> {
    const ours = suitesIn(context.records);
    const all = [...draft.recipients, ...draft.copies];
    const reachable = (device: EngineDevice) => commonSuite(device, ours) !== undefined;
    if (draft.recipients.length > 0 && !draft.recipients.some(reachable))
      return noCommonSuite(draft.recipients[0]!, ours);
    const unreachable: Unserved[] = all
      .filter((device) => !reachable(device))
      .map(({ id: device }) => ({ device, reason: 'no-common-suite' }));
    const groups: Group[] = [];
    for (const suite of ours) {
      const devices = all.filter((device) => commonSuite(device, ours) === suite);
      if (devices.length === 0) continue;
      const gathered = await this.#gatherOn(suite, devices, context);
      if (gathered.status !== 'done') return gathered;
      groups.push(gathered.value.group);
      unreachable.push(...gathered.value.keyless.map((device) => ({ device, reason: 'no-keys' }) as const));
    }
    if (draft.recipients.length > 0 && draft.recipients.every(({ id }) => names(unreachable, id)))
      return failed(
        'no-keys',
        `no device of ${nameOf(draft.recipientUser)} has published its keys yet: the message waits`,
      );
    return { status: 'done', value: { groups, unreachable } };
  }

  processOutgoing(draft: OutgoingDraft, gathered: unknown, transaction: Transaction): EngineResult<SealedMessage> {
    const { groups, unreachable } = gathered as Gathered;
    const { crypto, random, device: source } = this.#setup;
    const { recipientUser, plaintext } = draft;
    const count = groups.reduce((sum, { devices }) => sum + devices.length, 0);
    const isDirect = count === 0 || isDirectForm('optimizeUploadSize', plaintext.length, count);
    const cipher = isDirect ? undefined : sealCipherMessage(crypto, { random, source, recipientUser, plaintext });
    const parts: Part[] = unreachable.map(({ device }) => ({ device, content: NO_BYTES }));
    const failures = new Map<DeviceId, string>();
    try {
      for (const { suite, devices: recipients, bundles } of groups) {
        const form = cipher ? { cipher } : ({ policy: 'DRMessage' } as const);
        const input = { recipientUser, recipients, plaintext, bundles, ...form };
        const sealed = this.#lime(suite, transaction).encrypt(source, input);
        for (const { device, message = NO_BYTES, error } of sealed.recipients) {
          parts.push({ device, content: message });
          if (error) failures.set(device, error);
        }
      }
    } catch (error) {
      return failureOf(error);
    } finally {
      cipher?.seed.wipe();
    }
    const reasons = [...failures.values()];
    if (reasons.includes('no-bundle')) return failed('keys-missing', 'a session came to its end meanwhile');
    if (draft.recipients.length > 0 && draft.recipients.every(({ id }) => failures.has(id) || names(unreachable, id)))
      return failed(
        reasons[0]!,
        `the keys of ${nameOf(recipientUser)} in the directory are not good (${reasons[0]}): nothing is sent`,
      );
    const bad = [...failures.keys()].map((device) => ({ device, reason: 'bad-keys' }) as const);
    const unserved = [...unreachable, ...bad];
    return { status: 'done', value: { parts, cipherMessage: cipher?.cipherMessage ?? NO_BYTES, unserved } };
  }

  processIncoming(message: ReceivedMessage, transaction: Transaction): EngineResult<Uint8Array> {
    const { sender, recipientUser, content, cipherMessage } = message;
    if (content.length === 0) return failed('no-content', 'the sender could not encrypt for this device');
    const suite = suitesIn(transaction).find((name) => this.#setup.crypto.suites[name].id === content[CURVE_ID_AT]);
    if (!suite) return failed('wrong-curve', 'made for an identity that this device does not have');
    const lime = this.#lime(suite, transaction);
    try {
      const plaintext = lime.decrypt(this.#setup.device, {
        sender: sender.id,
        recipientUser,
        message: content,
        cipherMessage,
      });
      const shown = lime.peerIdentityKey(sender.id);
      if (!this.#isIdentity(sender, suite, shown))
        return failed('identity-mismatch', 'made with another identity key than the manifest names', sender.id);
      return { status: 'done', value: plaintext };
    } catch (error) {
      const failure = failureOf(error);
      return isOfTheSession(failure) ? { ...failure, sessionBroken: true } : failure;
    }
  }

  retireSession(device: DeviceId, transaction: Transaction): void {
    for (const suite of suitesIn(transaction)) this.#lime(suite, transaction).retireSession(this.#setup.device, device);
  }

  forgetDevice(device: DeviceId, transaction: Transaction): void {
    for (const suite of suitesIn(transaction)) this.#lime(suite, transaction).deletePeer(device);
  }

  async #gatherOn(
    suite: SuiteName,
    devices: readonly EngineDevice[],
    context: EngineContext,
  ): Promise<EngineResult<{ group: Group; keyless: readonly DeviceId[] }>> {
    const ids = devices.map(({ id }) => id);
    const wanted = this.#lime(suite, context.records).devicesWithoutSession(this.#setup.device, ids);
    const bundles = wanted.length > 0 ? await new LimeDirectory(suite, context).bundles(wanted) : [];
    for (const { device, bundle } of bundles) {
      const named = devices.find(({ id }) => id === device)!;
      if (bundle && !this.#isIdentity(named, suite, bundle.identityKey))
        return failed(
          'identity-mismatch',
          `the key directory shows another identity key for ${device} than its account signed: nothing is sent`,
          device,
        );
    }
    const keyless = bundles.filter(({ bundle }) => !bundle).map(({ device }) => device);
    const group = {
      suite,
      devices: ids.filter((id) => !keyless.includes(id)),
      bundles: bundles.filter(({ bundle }) => bundle),
    };
    return { status: 'done', value: { group, keyless } };
  }

  #isIdentity(device: EngineDevice, suite: SuiteName, key: Uint8Array | undefined): boolean {
    const named = device.identities.find((identity) => identity.suite === suite);
    return named !== undefined && key !== undefined && this.#setup.crypto.equal(named.identityKey, key);
  }

  async #register(suite: SuiteName, context: EngineContext): Promise<void> {
    const me = this.#setup.device;
    if (isActive(this.#lime(suite, context.records), me)) return;
    await new LimeDirectory(suite, context).register(this.#lime(suite, context.records).registrationOf(me));
    await context.commit((transaction) => this.#lime(suite, transaction).activateDevice(me));
  }

  /** Cheap: all state is in the records. */
  #lime(suite: SuiteName, records: Records | Transaction): Lime {
    const { crypto, random, now } = this.#setup;
    return new Lime({ crypto, random, now, store: limeStoreOver(records, suite) });
  }
}

function suitesIn(records: Records): readonly SuiteName[] {
  const stored = records.get(SUITES_KEY);
  return stored ? decodeRecord<{ curves: SuiteName[] }>(stored).header.curves : [];
}

function commonSuite(device: EngineDevice, ours: readonly SuiteName[]): SuiteName | undefined {
  const isOurs = (suite: ServedSuite): suite is SuiteName => ours.some((name) => name === suite);
  return device.identities.map(({ suite }) => suite).find(isOurs);
}

function names(unserved: readonly Unserved[], id: DeviceId): boolean {
  return unserved.some(({ device }) => device === id);
}

/** Whether the directory has acknowledged this identity before. */
function isActive(lime: Lime, me: DeviceId): boolean {
  try {
    lime.updateDue(me);
    return true;
  } catch (error) {
    if (error instanceof LimeError && error.code === 'inactive-device') return false;
    throw error;
  }
}

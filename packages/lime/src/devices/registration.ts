/** A local device's keys: made, handed out for registration, looked after (lime-protocol section 10). */
import type { SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import type { LimeContext } from '../context.ts';
import { LimeError } from '../errors.ts';
import { newIdentity, type OwnIdentity } from '../keys/identity-keys.ts';
import { newOwnPrekey, publicKeyOf } from '../keys/own-prekey.ts';
import type { OwnDevice, OwnOneTimePrekey, OwnSignedPrekey } from '../records/device-record.ts';
import type { LimeChange } from '../records/store.ts';
import type { PublicPrekey, PublicSignedPrekey } from '../x3dh/prekey-bundle.ts';

/** What `registerUser` brings to the key server. */
export interface Registration {
  readonly suite: SuiteName;
  readonly identityKey: Uint8Array;
  readonly signedPrekey: PublicSignedPrekey;
  readonly oneTimePrekeys: PublicPrekey[];
}

/**
 * New keys for `device`, stored and inactive. Called again before `activate`: the same keys, so that a registration with a lost answer
 * can be repeated. Throws LimeError `device-exists`.
 */
export function createDevice(context: LimeContext, device: DeviceId, suite: SuiteName): Registration {
  const { records, settings, crypto, random, now } = context;
  const existing = records.findDevice(device);
  if (existing) {
    if (existing.active || existing.suite !== suite) {
      throw new LimeError('device-exists', `${device} exists on ${existing.suite}: choose another device id`, [device]);
    }
    return registration(existing, records.oneTimePrekeys(device));
  }
  const identity = newIdentity(crypto.suites[suite], random);
  const current = newSignedPrekey(context, suite, identity, [], 0);
  const created: OwnDevice = { suite, active: false, updatedAt: now(), identity, signedPrekeys: [current] };
  const prekeys = newOneTimePrekeys(context, device, suite, settings.oneTimePrekeysAtRegistration);
  records.save([
    records.deviceChange(device, created),
    ...prekeys.map((prekey) => records.oneTimePrekeyChange(device, suite, prekey)),
  ]);
  return registration(created, prekeys);
}

/** What the key server should hold of a device. */
export interface PublishedKeys {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: PublicSignedPrekey;
  /** All that we can still open; the server holds those of them that it has not given out. */
  readonly oneTimePrekeyIds: readonly number[];
}

/** Throws LimeError `unknown-device`, `inactive-device`. */
export function publishedKeys({ records }: LimeContext, device: DeviceId): PublishedKeys {
  const own = records.activeDevice(device);
  return {
    identityKey: own.identity.publicKey,
    signedPrekey: publicSignedPrekey(own.signedPrekeys[0]),
    oneTimePrekeyIds: records.oneTimePrekeys(device).map(({ id }) => id),
  };
}

/** The key server has acknowledged the registration. Throws LimeError `unknown-device`. */
export function activateDevice({ records }: LimeContext, device: DeviceId): void {
  records.save([records.deviceChange(device, { ...records.device(device), active: true })]);
}

/** For a key server that lost the device: see `renewal`. An inactive device's registration is what `createDevice` gave. */
export function registrationOf(context: LimeContext, device: DeviceId): Registration {
  const { records } = context;
  const own = records.device(device);
  if (!own.active) return registration(own, records.oneTimePrekeys(device));
  const renewed = renewal(context, device, own);
  records.save(renewed.changes);
  return renewed.registration;
}

/** The same identity and signed prekey with fresh one-time prekeys; those that the server had count as given out. Not saved yet. */
export function renewal(
  context: LimeContext,
  device: DeviceId,
  own: OwnDevice,
): { registration: Registration; changes: LimeChange[] } {
  const { records, settings, now } = context;
  const fresh = newOneTimePrekeys(context, device, own.suite, Math.max(1, settings.oneTimePrekeysLow));
  const given = records
    .oneTimePrekeys(device)
    .map((prekey) => ({ ...prekey, missedSince: prekey.missedSince ?? now() }));
  const changes = [...given, ...fresh].map((prekey) => records.oneTimePrekeyChange(device, own.suite, prekey));
  return { registration: registration(own, fresh), changes };
}

/** `offersLeft`: how many updates are to post it. */
export function newSignedPrekey(
  { crypto, random, now }: LimeContext,
  suiteName: SuiteName,
  identity: OwnIdentity,
  others: readonly OwnSignedPrekey[],
  offersLeft: number,
): OwnSignedPrekey {
  const suite = crypto.suites[suiteName];
  const id = newPrekeyId(random, (candidate) => others.some((other) => other.id === candidate));
  const keys = newOwnPrekey(suite, random);
  const signature = suite.signatures.sign(identity.reveal(), publicKeyOf(keys));
  return { id, ...keys, signature, createdAt: now(), replacedAt: undefined, offersLeft };
}

/** In the order of their ids; not saved yet. */
export function newOneTimePrekeys(
  { crypto, records, random }: LimeContext,
  device: DeviceId,
  suite: SuiteName,
  count: number,
): OwnOneTimePrekey[] {
  const fresh = new Map<number, OwnOneTimePrekey>();
  while (fresh.size < count) {
    const id = newPrekeyId(random, (each) => fresh.has(each) || records.findOneTimePrekey(device, each) !== undefined);
    fresh.set(id, { id, ...newOwnPrekey(crypto.suites[suite], random), missedSince: undefined });
  }
  return [...fresh.values()].sort((a, b) => a.id - b.id);
}

/** Random u31, not 0: liblime keeps ids in signed columns, and forgets to delete a used prekey with id 0 (section 2.2). */
function newPrekeyId(random: LimeContext['random'], isTaken: (id: number) => boolean): number {
  for (;;) {
    const [a, b, c, d] = random(4) as unknown as [number, number, number, number];
    const id = ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
    if (id !== 0 && !isTaken(id)) return id;
  }
}

function registration(device: OwnDevice, prekeys: readonly OwnOneTimePrekey[]): Registration {
  return {
    suite: device.suite,
    identityKey: device.identity.publicKey,
    signedPrekey: publicSignedPrekey(device.signedPrekeys[0]),
    oneTimePrekeys: prekeys.map(publicPrekey),
  };
}

export function publicSignedPrekey(prekey: OwnSignedPrekey): PublicSignedPrekey {
  return { id: prekey.id, publicKey: publicKeyOf(prekey), signature: prekey.signature };
}

export function publicPrekey(prekey: OwnOneTimePrekey): PublicPrekey {
  return { id: prekey.id, publicKey: publicKeyOf(prekey) };
}

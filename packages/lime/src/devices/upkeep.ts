/** The daily look after a device's keys (lime-protocol section 10): rotation, refill, clean-up. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { LimeContext } from '../context.ts';
import type { OwnDevice, OwnOneTimePrekey, OwnSignedPrekey } from '../records/device-record.ts';
import type { LimeChange } from '../records/store.ts';
import type { PublicPrekey, PublicSignedPrekey } from '../x3dh/prekey-bundle.ts';
import {
  newOneTimePrekeys,
  newSignedPrekey,
  publicPrekey,
  publicSignedPrekey,
  type Registration,
  renewal,
} from './registration.ts';

export interface UpdateOutput {
  /** To be posted, when not empty. */
  readonly oneTimePrekeys: PublicPrekey[];
  /** To be posted. */
  readonly signedPrekey?: PublicSignedPrekey;
  /** To be registered instead, when the server has lost the device. */
  readonly registerAgain?: Registration;
}

export function isUpdateDue({ records, settings, now }: LimeContext, me: DeviceId): boolean {
  const elapsed = now() - records.activeDevice(me).updatedAt;
  // A clock that was ahead and has been set right must not put the update off.
  return elapsed >= settings.updateEveryMs || elapsed < 0;
}

/** See `Lime.update`. */
export function updateKeys(
  context: LimeContext,
  me: DeviceId,
  heldByServer: readonly number[] | 'unknown-device',
): UpdateOutput {
  const { records, settings, now } = context;
  const own = records.activeDevice(me);
  const believed = believedTime(context, own);
  const signedPrekeys = rotated(context, own, believed);
  const updated = { ...own, signedPrekeys: signedPrekeys.kept, updatedAt: now() };
  const cleanUp: LimeChange[] = [
    records.deviceChange(me, updated),
    ...signedPrekeys.dropped.flatMap(({ id }) => records.initRemovals(me, id)),
    ...records.expiredSessions(me, believed - settings.staleSessionKeptMs, now()),
  ];
  if (heldByServer === 'unknown-device') {
    const { registration, changes } = renewal(context, me, updated);
    records.save([...cleanUp, ...changes]);
    return { oneTimePrekeys: [], registerAgain: registration };
  }
  const stock = oneTimePrekeysAfter(context, me, own, new Set(heldByServer), believed);
  records.save([...cleanUp, ...stock.changes]);
  return {
    oneTimePrekeys: stock.fresh.map(publicPrekey),
    ...(signedPrekeys.offered && { signedPrekey: publicSignedPrekey(signedPrekeys.offered) }),
  };
}

/**
 * What the ages of private keys are measured by. Between two updates they grow by two days at most: a
 * clock that jumped, or a device that was off, must not delete at once what messages under way need.
 */
function believedTime({ settings, now }: LimeContext, own: OwnDevice): number {
  return Math.min(now(), own.updatedAt + 2 * settings.updateEveryMs);
}

/** What a clock dated that was ahead, counts from now. */
function notAfter(now: number, time: number): number {
  return Math.min(time, now);
}

interface Rotation {
  readonly kept: OwnDevice['signedPrekeys'];
  readonly dropped: OwnSignedPrekey[];
  readonly offered: OwnSignedPrekey | undefined;
}

/** A new signed prekey is offered to the server more than once: nothing tells us whether a post arrived, and repeating it is harmless. */
function rotated(context: LimeContext, own: OwnDevice, believed: number): Rotation {
  const { settings, now } = context;
  const [current, ...others] = own.signedPrekeys;
  const replaced = others.map((prekey) => ({ ...prekey, replacedAt: notAfter(now(), prekey.replacedAt!) }));
  const isKept = ({ replacedAt }: OwnSignedPrekey) => replacedAt! + settings.signedPrekeyKeptMs >= believed;
  const kept = replaced.filter(isKept);
  const dropped = replaced.filter((prekey) => !isKept(prekey));
  const age = now() - current.createdAt;
  if (age >= 0 && age < settings.signedPrekeyLifeMs) {
    if (current.offersLeft === 0) return { kept: [current, ...kept], dropped, offered: undefined };
    const offered = { ...current, offersLeft: current.offersLeft - 1 };
    return { kept: [offered, ...kept], dropped, offered };
  }
  const offersLeft = Math.max(0, settings.signedPrekeyOffers - 1);
  const fresh = newSignedPrekey(context, own.suite, own.identity, own.signedPrekeys, offersLeft);
  return { kept: [fresh, { ...current, replacedAt: now() }, ...kept], dropped, offered: fresh };
}

/** What the server no longer lists was given out; its private key waits for the first message that uses it, but not for ever. */
function oneTimePrekeysAfter(
  context: LimeContext,
  me: DeviceId,
  own: OwnDevice,
  heldByServer: ReadonlySet<number>,
  believed: number,
): { fresh: OwnOneTimePrekey[]; changes: LimeChange[] } {
  const { records, settings, now } = context;
  const changes: LimeChange[] = [];
  let held = 0;
  for (const prekey of records.oneTimePrekeys(me)) {
    const isHeld = heldByServer.has(prekey.id);
    if (isHeld) held += 1;
    const missedSince = isHeld ? undefined : notAfter(now(), prekey.missedSince ?? now());
    if (missedSince !== undefined && believed - missedSince >= settings.oneTimePrekeyKeptMs) {
      changes.push(records.oneTimePrekeyRemoval(me, prekey.id));
    } else if (missedSince !== prekey.missedSince) {
      changes.push(records.oneTimePrekeyChange(me, own.suite, { ...prekey, missedSince }));
    }
  }
  const low = Math.max(1, settings.oneTimePrekeysLow);
  const missing = held < low ? Math.max(settings.oneTimePrekeysBatch, low - held) : 0;
  const fresh = newOneTimePrekeys(context, me, own.suite, missing);
  changes.push(...fresh.map((prekey) => records.oneTimePrekeyChange(me, own.suite, prekey)));
  return { fresh, changes };
}

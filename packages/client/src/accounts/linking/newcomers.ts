/**
 * Devices that came to our account within the last ten minutes, as far as this device knows: whoever let one in by mistake takes it out
 * again without looking for its id (docs/spec/linking.md section 6). Record `self/newcomers`.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../../errors.ts';
import type { ClientRuntime } from '../../runtime.ts';
import type { Services } from '../../services.ts';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import { removeDevice } from '../own-account.ts';

const KEY = 'self/newcomers';
/** From when this device let it in, or heard of it. */
export const UNDO_MS = 10 * 60_000;

interface Newcomer {
  readonly device: DeviceId;
  /** ms, this device's clock. */
  readonly since: number;
  /** It was given the account key by this device. */
  readonly administrator?: true;
}

export interface UndoneLinking {
  /** Removed: cut off at the server, and named by no list any more. */
  readonly device: DeviceId;
  /** It was given the account key here: it can name itself again, and only an operator's reset keeps it out. */
  readonly administrator: boolean;
}

/** One that is known already keeps its time. */
export function noteNewcomers(
  transaction: Transaction,
  devices: readonly DeviceId[],
  now: number,
  administrator = false,
): void {
  const known = recent(transaction, now);
  const added = devices.filter((device) => !known.some((one) => one.device === device));
  const all = [...known, ...added.map((device) => ({ device, since: now }))].map(
    (one): Newcomer => (administrator && devices.includes(one.device) ? { ...one, administrator: true } : one),
  );
  transaction.set(KEY, encodeRecord({ newcomers: all }));
}

/**
 * Removes the device that came last, within the last ten minutes, as `remove` of `ClientDevices` does. Repeated after an error it goes on. Throws
 * `nothing-to-undo`, and what a removal throws.
 */
export async function undoLinking(services: Services, runtime: ClientRuntime): Promise<UndoneLinking> {
  const { ledger, self, book } = services;
  const { manifest } = await book.refresh(self.address);
  const named = new Set(manifest.devices.map(({ id }) => id));
  const last = recent(ledger, runtime.now()).findLast(({ device }) => named.has(device));
  if (!last)
    throw new ClientError(
      'nothing-to-undo',
      'no device came to this account in the last ten minutes: look at its devices, and remove the one that should not be there',
    );
  const { device, administrator = false } = last;
  await removeDevice(services, runtime, device);
  return { device, administrator };
}

/** What a clock that was ahead wrote down is over, too. */
function recent(records: Records, now: number): Newcomer[] {
  const stored = records.get(KEY);
  const all = stored ? decodeRecord<{ newcomers: Newcomer[] }>(stored).header.newcomers : [];
  return all.filter(({ since }) => since <= now && now - since < UNDO_MS);
}

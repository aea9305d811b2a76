/**
 * Waiting devices as records: since when they wait. Their identities are those of their prekeys.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { SUITE_NAMES } from '@sealwire/wire/lime-server';
import type { WaitingDevice } from '../../port.ts';
import type { Databases } from '../environment.ts';
import { keysUnder, prefixedKey, removeUnder, textKey } from './keys.ts';
import { readPrekeys } from './prekey-records.ts';
import { RecordReader, RecordWriter } from './record.ts';

export function readWaiting(databases: Databases, id: DeviceId): WaitingDevice | undefined {
  const bytes = databases.waiting.getBinary(textKey(id));
  if (!bytes) return undefined;
  const reader = new RecordReader(bytes);
  const since = reader.number();
  reader.end();
  const identities = SUITE_NAMES.flatMap((suite) => {
    const registered = readPrekeys(databases, id, suite);
    return registered ? [{ suite, identityKey: registered.identityKey }] : [];
  });
  return { id, identities, since };
}

export function writeWaiting({ waiting }: Databases, id: DeviceId, since: number): void {
  waiting.putSync(textKey(id), new RecordWriter().number(since).finish());
}

/** In the order of their ids. */
export function waitingIds({ waiting }: Databases, address: AccountAddress): DeviceId[] {
  // An address has no `;`: no other account's device begins so.
  const prefix = Buffer.from(`${address};gr=`, 'utf8');
  return keysUnder(waiting, prefix).map((key) => key.toString('utf8') as DeviceId);
}

/**
 * Whether that was a waiting device without any keys left: then all that is left of it goes, and it
 * may come again.
 */
export function forgetWaiting(databases: Databases, id: DeviceId): boolean {
  if (readWaiting(databases, id)?.identities.length !== 0) return false;
  databases.waiting.removeSync(textKey(id));
  removeUnder(databases.onetime, prefixedKey(id));
  return true;
}

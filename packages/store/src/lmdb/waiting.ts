/**
 * Waiting devices, in LMDB: prekeys like a device's, and one record that says that their owner has
 * not admitted them yet.
 */
import { accountOf } from '@sealwire/wire/ids';
import { copyBundle, copyOneTimePrekey } from '../copies.ts';
import { StoreError, type Waiting } from '../port.ts';
import type { Environment } from './environment.ts';
import { storeRegistration } from './prekeys.ts';
import { buryDevice, readAccount, readDevice } from './records/account-records.ts';
import { textKey } from './records/keys.ts';
import { readWaiting, waitingIds, writeWaiting } from './records/waiting-records.ts';
import type { Writer } from './writer.ts';

export function lmdbWaiting({ databases, renew }: Environment, writer: Writer): Waiting {
  return {
    async register(device, suite, bundle, oneTime, { maximum, now, withoutAccount = false }) {
      const copy = copyBundle(bundle);
      const keys = oneTime.map(copyOneTimePrekey);
      const address = accountOf(device);
      return writer.run(() => {
        const found = readAccount(databases, address);
        const account = found === 'gone' ? undefined : found;
        if (!account && !withoutAccount) throw new StoreError('not-found', 'no such account');
        if (readDevice(databases, device)) throw new StoreError('conflict', 'the device is listed, or was removed');
        const isNew = !databases.waiting.getBinary(textKey(device));
        const held = (account?.devices.length ?? 0) + waitingIds(databases, address).length;
        if (isNew && held >= maximum) throw new StoreError('limit', `an account has at most ${maximum} devices`);
        const result = storeRegistration(databases, device, suite, copy, keys);
        if (isNew) writeWaiting(databases, device, now);
        return result;
      });
    },

    async find(id) {
      renew();
      return readWaiting(databases, id);
    },

    async list(address) {
      renew();
      const devices = waitingIds(databases, address).map((id) => readWaiting(databases, id));
      return devices
        .filter((device) => device !== undefined)
        .sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
    },

    async remove(id) {
      await writer.run(() => {
        if (databases.waiting.getBinary(textKey(id))) buryDevice(databases, id);
      });
    },
  };
}

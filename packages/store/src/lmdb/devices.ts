/** The devices of accounts, in LMDB. */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { type Device, type Devices, StoreError } from '../port.ts';
import type { Databases, Environment } from './environment.ts';
import { buryDevice, readAccount, readDevice, unlessCorrupt, writeAccount } from './records/account-records.ts';
import type { Writer } from './writer.ts';

/** These devices are gone: what is in memory of their mailboxes is nothing any more. */
export type Forget = (devices: readonly DeviceId[]) => void;

export function lmdbDevices({ databases, renew }: Environment, writer: Writer, forget: Forget): Devices {
  function find(id: DeviceId): Device | undefined {
    const record = readDevice(databases, id);
    if (!record || record === 'gone') return undefined;
    const { identities, loginKey, addedAt } = record;
    return { id, identities, loginKey, addedAt };
  }

  /** Of a device whose record is damaged no key is known: it has its mailbox, and cannot log in. */
  function findOrName(id: DeviceId): Device | undefined {
    return isDamaged(databases, id) ? { id, identities: [], loginKey: new Uint8Array(0), addedAt: 0 } : find(id);
  }

  return {
    async find(id) {
      renew();
      return find(id);
    },

    async list(addresses) {
      renew();
      return addresses.map((address) => {
        const account = readAccount(databases, address);
        if (!account || account === 'gone') return [];
        const devices = account.devices.map(findOrName).filter((device) => device !== undefined);
        return devices.sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1));
      });
    },

    async remove(id) {
      await writer.run(() => {
        const isThere = unlessCorrupt(() => readDevice(databases, id)) ?? isDamaged(databases, id);
        if (!isThere || isThere === 'gone') return;
        const account = readAccount(databases, accountOf(id));
        if (!account || account === 'gone') throw new StoreError('corrupt', 'a device without its account');
        writeAccount(databases, { ...account, devices: account.devices.filter((other) => other !== id) });
        buryDevice(databases, id);
      });
      forget([id]);
    },
  };
}

/** There, and not to be read. */
export function isDamaged(databases: Databases, id: DeviceId): boolean {
  return unlessCorrupt(() => readDevice(databases, id) ?? 'none') === undefined;
}

/** The devices of accounts: part of their documents. */
import { accountOf } from '@sealwire/wire/ids';
import { trusted } from 'mongoose';
import type { Devices } from '../port.ts';
import { deviceOut, leavingOf } from './account-fields.ts';
import { changeAccount, readAccount } from './account-row.ts';
import type { AccountDocument } from './documents.ts';
import type { Ground } from './ground.ts';

export function mongoDevices(ground: Ground): Devices {
  const { engine, documents } = ground;
  return {
    async find(id) {
      const account = await readAccount(ground, accountOf(id));
      const device = account?.devices.find((one) => one.id === id);
      return device && deviceOut(device);
    },

    async list(addresses) {
      const found = await engine.read(() =>
        documents.accounts
          .find({ _id: trusted({ $in: [...new Set(addresses)] }) }, { devices: 1 })
          .lean<Pick<AccountDocument, '_id' | 'devices'>[]>()
          .exec(),
      );
      const devices = new Map(found.map((account) => [account._id, account.devices]));
      return addresses.map((address) =>
        [...(devices.get(address) ?? [])]
          .sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1))
          .map(deviceOut),
      );
    },

    async remove(id) {
      await changeAccount(ground, accountOf(id), async (before) => {
        const device = before.devices.find((one) => one.id === id);
        if (!device) return { answer: undefined };
        return {
          answer: undefined,
          changes: {
            devices: before.devices.filter((one) => one.id !== id),
            gone: [...before.gone, id],
            leaving: [...before.leaving, leavingOf(before, device)],
          },
        };
      });
    },
  };
}

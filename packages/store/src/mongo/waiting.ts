/** Waiting devices: the account's document says who waits, the prekeys' say with what. */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { StoreError, type Waiting, type WaitingDevice } from '../port.ts';
import { changeAccount, readAccount } from './account-row.ts';
import type { AccountDocument } from './documents.ts';
import type { Ground } from './ground.ts';
import { dropPrekeys, storeRegistration } from './prekeys.ts';
import { dropWithoutKeys, waitingIdentities } from './waiting-list.ts';

/** One that waits without keys was never finished, and gives way after this. */
const UNFINISHED_MS = 3_600_000;

export function mongoWaiting(ground: Ground): Waiting {
  async function waitingOf(address: AccountAddress, only?: DeviceId): Promise<WaitingDevice[]> {
    const account = await readAccount(ground, address);
    const waiting = (account?.waiting ?? []).filter(({ id }) => only === undefined || id === only);
    const identities = await waitingIdentities(
      ground,
      waiting.map(({ id }) => id),
    );
    return waiting
      .map(({ id, since }) => ({ id: id as DeviceId, identities: identities.get(id) ?? [], since }))
      .filter((device) => device.identities.length > 0)
      .sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
  }

  return {
    async register(device, suite, bundle, oneTime, { maximum, now, withoutAccount = false }) {
      for (;;) {
        await changeAccount(ground, accountOf(device), async (account) => {
          if (account.state !== 'active' && !(withoutAccount && account.state === 'none'))
            throw new StoreError('not-found', 'no such account');
          refuseListed(account, device);
          let { waiting } = account;
          // Also when it waits already: whoever admits or removes it meanwhile looks again.
          if (waiting.some(({ id }) => id === device)) return { answer: undefined, changes: { waiting } };
          if (account.devices.length + waiting.length >= maximum) waiting = await finished(ground, account, now);
          if (account.devices.length + waiting.length >= maximum)
            throw new StoreError('limit', `an account has at most ${maximum} devices`);
          return { answer: undefined, changes: { waiting: [...waiting, { id: device, since: now }] } };
        });
        const result = await storeRegistration(ground, device, suite, bundle, oneTime).catch(async (error: unknown) => {
          if (error instanceof StoreError && !error.retryable) await dropWithoutKeys(ground, device);
          throw error;
        });
        // A change also when it still waits: who admits it by what it saw before these keys looks again. It finishes the account.
        const account = await changeAccount(ground, accountOf(device), async (row) => {
          const { waiting } = row;
          const waits = waiting.some(({ id }) => id === device);
          return { answer: row, ...(waits && { changes: { waiting, unfinishedSince: null } }) };
        });
        if (account.waiting.some(({ id }) => id === device)) return result;
        const listed = account.devices.find(({ id }) => id === device);
        if (listed?.identities.some((identity) => identity.suite === suite)) return result;
        // Admitted or removed meanwhile, without these keys. Not there at all: its other keys were deleted, so it begins anew.
        if (listed || account.gone.includes(device) || account.state === 'deleted') {
          await dropPrekeys(ground, device, suite);
          throw new StoreError('conflict', 'the device is listed, or was removed');
        }
      }
    },

    async find(id) {
      const [device] = await waitingOf(accountOf(id), id);
      return device;
    },

    list: (address) => waitingOf(address),

    async remove(device) {
      await changeAccount(ground, accountOf(device), async (account) => {
        if (!account.waiting.some(({ id }) => id === device)) return { answer: undefined };
        return {
          answer: undefined,
          changes: {
            waiting: account.waiting.filter(({ id }) => id !== device),
            gone: [...account.gone, device],
            leaving: [...account.leaving, { id: device, keys: [], rev: account.rev }],
          },
        };
      });
    },
  };
}

function refuseListed({ devices, gone }: AccountDocument, device: DeviceId): void {
  if (gone.includes(device) || devices.some(({ id }) => id === device))
    throw new StoreError('conflict', 'the device is listed, or was removed');
}

/** Those that have keys, or are about to have them. */
async function finished(
  ground: Ground,
  { waiting }: AccountDocument,
  now: number,
): Promise<AccountDocument['waiting']> {
  const identities = await waitingIdentities(
    ground,
    waiting.map(({ id }) => id),
  );
  return waiting.filter(({ id, since }) => (identities.get(id)?.length ?? 0) > 0 || since > now - UNFINISHED_MS);
}

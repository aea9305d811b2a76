/** App passwords, in memory. They lie in the account's row, and go with it. */
import { copyAppPassword } from '../copies.ts';
import { type AppPassword, type AppPasswords, StoreError } from '../port.ts';
import type { MemoryState } from './state.ts';

export function memoryAppPasswords({ accounts }: MemoryState): AppPasswords {
  return {
    async add(address, password, maximum) {
      const held = accounts.get(address)?.appPasswords;
      if (!held) throw new StoreError('not-found', 'no such account');
      if ([...held.values()].some(({ id, name }) => id === password.id || name === password.name))
        throw new StoreError('conflict', 'the account has an app password of that name');
      if (held.size >= maximum) throw new StoreError('limit', `an account has at most ${maximum} app passwords`);
      held.set(password.id, copyAppPassword({ ...password, usedAt: undefined }));
    },

    async list(address) {
      const held: AppPassword[] = [...(accounts.get(address)?.appPasswords.values() ?? [])];
      return held.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)).map(copyAppPassword);
    },

    async remove(address, id) {
      return accounts.get(address)?.appPasswords.delete(id) ?? false;
    },

    async markUsed(address, id, at) {
      const held = accounts.get(address)?.appPasswords;
      const password = held?.get(id);
      if (held && password) held.set(id, { ...password, usedAt: at });
    },
  };
}

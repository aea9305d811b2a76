/** Users of NES, in memory. */
import type { NesUser, NesUsers } from '../port.ts';
import { hasExpired, isSameBytes } from '../sameness.ts';
import type { MemoryState } from './state.ts';

export function memoryNesUsers({ nesUsers }: MemoryState): NesUsers {
  return {
    async register(user, now) {
      const known = nesUsers.get(user.name);
      if (known && !hasExpired(known, now))
        return isSameBytes(known.activation, user.activation) ? 'registered' : 'taken';
      nesUsers.set(user.name, copyOf(user));
      return 'registered';
    },

    async find(name) {
      const known = nesUsers.get(name);
      return known && copyOf(known);
    },

    async activate(name, activation, now) {
      const known = nesUsers.get(name);
      if (!known || !isSameBytes(known.activation, activation) || hasExpired(known, now)) return false;
      nesUsers.set(name, { ...known, expiresAt: undefined });
      return true;
    },

    async remove(name, deletion) {
      const known = nesUsers.get(name);
      return known !== undefined && isSameBytes(known.deletion, deletion) && nesUsers.delete(name);
    },
  };
}

function copyOf(user: NesUser): NesUser {
  return { ...user, activation: user.activation.slice(), deletion: user.deletion.slice() };
}

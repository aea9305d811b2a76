/** The time by which mail expires, in LMDB: one record beside what may happen once. */
import type { ExpiryTime } from '../port.ts';
import type { Environment } from './environment.ts';
import type { Writer } from './writer.ts';

const KEY = Buffer.from('t');

export function lmdbExpiryTime({ databases: { once }, renew }: Environment, writer: Writer): ExpiryTime {
  return {
    async read() {
      renew();
      return once.getBinary(KEY)?.readDoubleLE();
    },

    async write(time) {
      const value = Buffer.allocUnsafe(8);
      value.writeDoubleLE(time);
      await writer.run(() => once.putSync(KEY, value));
    },
  };
}

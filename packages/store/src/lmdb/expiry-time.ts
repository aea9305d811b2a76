/** The time by which mail expires, in LMDB: one record beside what may happen once. */
import type { ExpiryTime } from '../port.ts';
import type { Databases, Environment } from './environment.ts';
import type { Writer } from './writer.ts';

const KEY = Buffer.from('t');

/** Undefined: never written. */
export function readExpiryTime({ once }: Databases): number | undefined {
  return once.getBinary(KEY)?.readDoubleLE();
}

export function lmdbExpiryTime({ databases, renew }: Environment, writer: Writer): ExpiryTime {
  return {
    async read() {
      renew();
      return readExpiryTime(databases);
    },

    async write(time) {
      const value = Buffer.allocUnsafe(8);
      value.writeDoubleLE(time);
      await writer.run(() => databases.once.putSync(KEY, value));
    },
  };
}

/** The time by which mail expires: one document. */
import type { ExpiryTime } from '../port.ts';
import type { Ground } from './ground.ts';

export const EXPIRY_ID = 'expiry';

export function mongoExpiryTime({ engine, documents: { times } }: Ground): ExpiryTime {
  return {
    async read() {
      return (await engine.read(() => times.findOne({ _id: EXPIRY_ID })))?.time;
    },
    async write(time) {
      await engine.write(() => times.updateOne({ _id: EXPIRY_ID }, { $set: { time } }, { upsert: true }));
    },
  };
}

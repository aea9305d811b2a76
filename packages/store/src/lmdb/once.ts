/**
 * Things that may happen once, in LMDB: each taking also forgets a few that have ended, so that
 * nothing piles up.
 */
import type { Once } from '../port.ts';
import type { Databases, Environment } from './environment.ts';
import { endOf, u48 } from './records/keys.ts';
import type { Writer } from './writer.ts';

const BY_KEY = Buffer.from('k');
const BY_END = Buffer.from('u');
/** More than one: the ended are fewer after each taking. */
const FORGET_AT_ONCE = 4;

export function lmdbOnce({ databases: { once } }: Environment, writer: Writer): Once {
  function forgetEnded(now: number): void {
    const end = Buffer.concat([BY_END, u48(Math.max(Math.floor(now) + 1, 0))]);
    for (const byEnd of [...once.getKeys({ start: BY_END, end, limit: FORGET_AT_ONCE })]) {
      const byKey = Buffer.concat([BY_KEY, byEnd.subarray(BY_END.length + 6)]);
      once.removeSync(byEnd);
      // It may have been taken again meanwhile, until later.
      const until = once.getBinary(byKey)?.readDoubleLE();
      if (until !== undefined && until <= now) once.removeSync(byKey);
    }
  }

  return {
    async take(key, expiresAt, now) {
      const byKey = Buffer.concat([BY_KEY, key]);
      return writer.run(() => {
        forgetEnded(now);
        const until = once.getBinary(byKey)?.readDoubleLE();
        if (until !== undefined && until > now) return false;
        const value = Buffer.allocUnsafe(8);
        value.writeDoubleLE(expiresAt);
        once.putSync(byKey, value);
        once.putSync(Buffer.concat([BY_END, u48(Math.max(Math.ceil(expiresAt), 0)), key]), Buffer.of(0));
        return true;
      });
    },
  };
}

/** All that was taken, and until when. */
export function* takenOnce({ once }: Databases): Generator<{ readonly key: Uint8Array; readonly until: number }> {
  for (const { key, value } of once.getRange({ start: BY_KEY, end: endOf(BY_KEY) }))
    yield { key: new Uint8Array(key.subarray(BY_KEY.length)), until: value.readDoubleLE() };
}

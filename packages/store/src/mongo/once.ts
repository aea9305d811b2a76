/** Things that may happen once: a document each, whose writer is the first. */
import type { Once } from '../port.ts';
import { freshToken, hashOf, ONCE_LENGTH } from './bytes.ts';
import { isDuplicate } from './engine.ts';
import type { Ground } from './ground.ts';

/** What has ended stays a while, so that a clock that is ahead cleans nothing away too early. */
const KEPT_MS = 86_400_000;

export function mongoOnce({ engine, documents: { once } }: Ground): Once {
  return {
    async take(key, expiresAt, now) {
      const _id = hashOf(key, ONCE_LENGTH);
      const by = freshToken();
      try {
        await engine.write(() =>
          once.updateOne(
            { _id, until: { $lte: now } },
            { $set: { until: expiresAt, by, forget: new Date(expiresAt + KEPT_MS) } },
            { upsert: true },
          ),
        );
        return true;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      // Taken: by another call, or by an attempt of this one whose answer was lost.
      const taken = await engine.read(() => once.findOne({ _id }));
      return taken?.by.equals(by) ?? false;
    },
  };
}

/** What `doctor` wants to know of a database beside whether it takes a write (docs/operations/doctor.md). */

import { linesOf } from './migrating.ts';
import { Engine, storeErrorOf } from './mongo/engine.ts';
import { schemaStatus } from './mongo/schema.ts';

export interface DatabaseFacts {
  /** Of its server, ms since 1970; undefined: it does not say. */
  readonly clock: number | undefined;
  /** Of its disk, where the server tells (mongod does). */
  readonly freeBytes: number | undefined;
  readonly totalBytes: number | undefined;
  /** What `migrate up` has to do, one line each; empty: nothing. */
  readonly toDo: readonly string[];
}

/** Changes nothing. Rejects with a `StoreError` of one line that names the fix. */
export async function lookAtDatabase(url: string, production = true): Promise<DatabaseFacts> {
  const engine = await Engine.connect({ url, production });
  try {
    const db = engine.connection.db!;
    const { localTime } = await engine.read(() => db.admin().command({ hello: 1 }));
    const { fsUsedSize, fsTotalSize } = await engine.read(() => db.command({ dbStats: 1 }));
    const status = await schemaStatus(engine);
    const { lines, isDone } = linesOf(status);
    const isTold = typeof fsTotalSize === 'number' && typeof fsUsedSize === 'number' && fsTotalSize > 0;
    return {
      clock: localTime instanceof Date ? localTime.getTime() : undefined,
      freeBytes: isTold ? fsTotalSize - fsUsedSize : undefined,
      totalBytes: isTold ? fsTotalSize : undefined,
      toDo: isDone || status.version === undefined ? [] : lines.slice(1),
    };
  } catch (error) {
    throw storeErrorOf(error);
  } finally {
    await engine.close();
  }
}

/** `migrate status` and `migrate up` for a store that servers share; an embedded one brings itself up to date when it is opened. */
import { Engine, storeErrorOf } from './mongo/engine.ts';
import { MIGRATIONS, type Migration, migrateUp, type SchemaStatus, schemaStatus } from './mongo/schema.ts';
import { StoreError } from './port.ts';

export interface MigrationTerms {
  /** `mongodb://…`. */
  readonly url: string;
  /** See `OpenTerms`. */
  readonly production?: boolean;
  readonly migrations?: readonly Migration[];
}

/** `status` changes nothing. What there is afterwards; rejects with a `StoreError` that names the fix. */
export async function migrate(
  word: 'status' | 'up',
  { url, production = true, migrations = MIGRATIONS }: MigrationTerms,
): Promise<SchemaStatus> {
  if (!/^mongodb(\+srv)?:/.test(url))
    throw new StoreError(
      'not-found',
      'only mongodb://HOST/DATABASE is migrated by hand: an embedded store brings itself up to date when it is opened',
    );
  const engine = await Engine.connect({ url, production });
  try {
    return await (word === 'up' ? migrateUp(engine, migrations) : schemaStatus(engine, migrations));
  } catch (error) {
    throw storeErrorOf(error);
  } finally {
    await engine.close();
  }
}

/** For the operator, line by line; and whether something is left to do. */
export function linesOf({ version, newest, pending, missing, isCopying }: SchemaStatus): {
  readonly lines: readonly string[];
  readonly isDone: boolean;
} {
  const lines = [
    version === undefined ? 'the database is new' : `schema version ${version}, this program writes ${newest}`,
    ...pending.map((step) => `to do: ${step}`),
    ...missing.map((index) => `to do: the index ${index}`),
    ...(isCopying ? ['a copy into this database has not ended: run copy-store again'] : []),
  ];
  return { lines, isDone: lines.length === 1 };
}

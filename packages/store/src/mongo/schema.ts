/**
 * Which version of the documents a database holds, and the steps from one to the next (docs/operations/mongodb.md, section 3). A
 * program works on a database of its own version and of the one before, so that nodes are renewed one by one and `migrate up` runs
 * after the last of them.
 */
import { mongo } from 'mongoose';
import { StoreError } from '../port.ts';
import { INDEXES, type IndexSpec } from './documents.ts';
import type { Engine } from './engine.ts';

/** What a step from the version before to `to` does; a repeat of it changes nothing. */
export interface Migration {
  readonly to: number;
  readonly what: string;
  run(engine: Engine): Promise<void>;
}

export interface SchemaDocument {
  readonly _id: 'schema';
  readonly version: number;
}

/** A copy into this database that has begun (`copying.ts`). */
export interface CopyDocument {
  readonly _id: 'copy';
  /** The last account that was copied; empty: none. */
  readonly after: string;
  readonly accounts: number;
  readonly isDone: boolean;
}

export interface SchemaStatus {
  /** Undefined: the database is new. */
  readonly version: number | undefined;
  /** What this program writes. */
  readonly newest: number;
  readonly pending: readonly string[];
  readonly missing: readonly string[];
  readonly isCopying: boolean;
}

/** Ascending. The first version is what a new database begins with: it has no step. */
export const MIGRATIONS: readonly Migration[] = [];
const FIRST = 1;
/** With more documents an index takes so long to make that it is the operator's to choose when. */
const INDEXED_AT_START = 100_000;
const COLLECTIONS: ReadonlySet<string> = new Set(
  'accounts manifests prekeys keys invitations once mailboxes mails accepted attachments accountrecords nesusers operatorrecords audittrail times probes schema'.split(
    ' ',
  ),
);
const COMMAND = 'sealwire-server migrate up';

/**
 * Of a server that starts: a new database gets its version, and indexes that are missing are made. Rejects with a `StoreError` that
 * names the fix: for a database of a version too old or too new, of another program, or into which a copy has not ended.
 */
export async function checkSchema(
  engine: Engine,
  migrations: readonly Migration[] = MIGRATIONS,
  indexedAtStart = INDEXED_AT_START,
): Promise<void> {
  const status = await schemaStatus(engine, migrations);
  refuseNewer(status);
  if (status.isCopying)
    throw new StoreError(
      'unavailable',
      'a copy into this database has not ended: run sealwire-server copy-store FROM TO again, it goes on where it was',
    );
  const { version, newest } = status;
  if (version !== undefined && version < newest - 1)
    throw new StoreError(
      'unavailable',
      `the database has schema version ${version}, this program needs ${newest - 1} or ${newest}: run ${COMMAND}`,
    );
  await makeIndexes(engine, indexedAtStart);
  if (version === undefined) await writeVersion(engine, newest);
}

/** What `migrate status` tells. */
export async function schemaStatus(
  engine: Engine,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<SchemaStatus> {
  const version = await readVersion(engine);
  const newest = migrations.at(-1)?.to ?? FIRST;
  const missing = (await missingIndexes(engine)).map(nameOf);
  const copy = await engine.read(() => schemaOf(engine).findOne({ _id: 'copy' }));
  return {
    version,
    newest,
    pending: migrations
      .filter(({ to }) => version !== undefined && to > version)
      .map(({ to, what }) => `${to}: ${what}`),
    missing,
    isCopying: copy !== null && 'isDone' in copy && !copy.isDone,
  };
}

/** All steps that are missing, one by one, and all indexes. What was interrupted goes on with the next call. */
export async function migrateUp(engine: Engine, migrations: readonly Migration[] = MIGRATIONS): Promise<SchemaStatus> {
  const { version, newest, ...rest } = await schemaStatus(engine, migrations);
  refuseNewer({ version, newest, ...rest });
  await makeIndexes(engine, Number.POSITIVE_INFINITY);
  if (version === undefined) await writeVersion(engine, newest);
  for (const migration of migrations) {
    if (version === undefined || migration.to <= version) continue;
    await migration.run(engine);
    await writeVersion(engine, migration.to);
  }
  return schemaStatus(engine, migrations);
}

export function schemaOf(engine: Engine): mongo.Collection<SchemaDocument | CopyDocument> {
  return engine.connection.db!.collection('schema');
}

function refuseNewer({ version, newest }: Pick<SchemaStatus, 'version' | 'newest'>): void {
  if (version !== undefined && version > newest)
    throw new StoreError(
      'unavailable',
      `the database has schema version ${version}, newer than the ${newest} of this program: use the program that wrote it, or a newer one`,
    );
}

/** Undefined: the database is new. */
async function readVersion(engine: Engine): Promise<number | undefined> {
  const found = await engine.read(() => schemaOf(engine).findOne({ _id: 'schema' }));
  if (found && 'version' in found) return found.version;
  const names = await engine.read(() => engine.connection.db!.listCollections({}, { nameOnly: true }).toArray());
  const isOurs = names.some(({ name }) => name === 'prekeys');
  const foreign = names.find(({ name }) => !COLLECTIONS.has(name) && !name.startsWith('system.'));
  if (foreign && !isOurs)
    throw new StoreError(
      'corrupt',
      'the database holds collections of another program: name a database of its own in the store URL',
    );
  return undefined;
}

/** Never backwards: another node may have been faster. */
async function writeVersion(engine: Engine, version: number): Promise<void> {
  await engine.write(() => schemaOf(engine).updateOne({ _id: 'schema' }, { $max: { version } }, { upsert: true }));
}

/** Those that are missing of collections with at most `most` documents. */
async function makeIndexes(engine: Engine, most: number): Promise<void> {
  for (const index of await missingIndexes(engine)) {
    const collection = engine.connection.db!.collection(index.collection);
    const count = await engine.read(() => collection.estimatedDocumentCount());
    if (count > most)
      throw new StoreError(
        'unavailable',
        `the database lacks the index ${nameOf(index)}, which takes a while to make: run ${COMMAND}`,
      );
    try {
      await engine.write(() => collection.createIndex(index.key, index.options));
    } catch (error) {
      if (!(error instanceof mongo.MongoServerError)) throw error;
      throw new StoreError(
        'unavailable',
        `the index ${nameOf(index)} cannot be made: see that no other one has its keys and that the user may make it`,
        { cause: error },
      );
    }
  }
}

/** A few questions at once, however many there are: the database may be in another region. */
async function missingIndexes(engine: Engine): Promise<IndexSpec[]> {
  const database = engine.connection.db!;
  const wanted = [...new Set(INDEXES.map(({ collection }) => collection))];
  const found = await engine.read(async () => {
    const there = await database.listCollections({ name: { $in: wanted } }, { nameOnly: true }).toArray();
    const indexes = there.map(async ({ name }) => [name, await database.collection(name).indexes()] as const);
    return new Map(await Promise.all(indexes));
  });
  return INDEXES.filter(({ collection, key, options }) =>
    (found.get(collection) ?? []).every(
      (one) =>
        JSON.stringify(one.key) !== JSON.stringify(key) || one.expireAfterSeconds !== options?.expireAfterSeconds,
    ),
  );
}

function nameOf({ collection, key }: IndexSpec): string {
  return `${collection}.${Object.keys(key).join('_')}`;
}

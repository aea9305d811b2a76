/**
 * Databases for tests on the server that `MONGODB_URI` names: one for each test file, since each empties its own. A database in it is the
 * beginning of their names, so that two runs on one server do not meet.
 */
import { createConnection } from 'mongoose';

/** Undefined when there is no server: then the tests are skipped, aloud. */
export function testDatabase(name: string): string | undefined {
  const server = process.env.MONGODB_URI;
  if (server === undefined) return undefined;
  const [, origin, path = '', options = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(\/[^?]*)?(\?.*)?$/.exec(server) ?? [];
  if (origin === undefined) throw new Error('MONGODB_URI is not mongodb://HOST');
  return `${origin}/${path.slice(1) || 'sealwire-test'}-${name}${options}`;
}

/** Its collections and indexes stay: making them anew for each test takes a server longer than the test. */
export async function emptyDatabase(url: string): Promise<void> {
  const connection = await createConnection(url).asPromise();
  await Promise.all((await connection.db!.collections()).map((collection) => collection.deleteMany({})));
  await connection.close();
}

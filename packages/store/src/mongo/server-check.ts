/** What a server and a URL must offer before a store is opened on them: the fault and its fix in one line. */
import type { Connection } from 'mongoose';
import { mongo } from 'mongoose';
import { StoreError } from '../port.ts';

/** Of a URL, because they would weaken what `accepted` means or where security questions are asked. */
const WEAKER = {
  w: 'leave it out: writes are acknowledged by a majority',
  journal: 'leave it out: writes are journaled',
  j: 'leave it out: writes are journaled',
  wtimeoutms: 'leave it out: how long a write may take is not the URL’s to say',
  readpreference: 'leave it out: the primary is asked',
  readconcernlevel: 'leave it out: what a majority has is read',
} as const;

/** MongoDB 6.0. */
const OLDEST_WIRE_VERSION = 17;

/** Throws a `StoreError` that never repeats the URL, since it may carry a password. */
export function parseUrl(url: string, production: boolean): void {
  const query = url.slice(url.indexOf('?') + 1);
  if (production && url.includes('?'))
    for (const name of new URLSearchParams(query).keys()) {
      const fix = WEAKER[name.toLowerCase() as keyof typeof WEAKER];
      if (fix) throw new StoreError('not-found', `the store URL sets ${name}; ${fix}`);
    }
  try {
    const { database } = databaseOf(url);
    if (database === '')
      throw new StoreError('not-found', 'the store URL names no database; write mongodb://HOST/sealwire');
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // The driver's texts name options, not values, but for a host that does not parse.
    const reason = error instanceof mongo.MongoParseError ? error.message.split('\n')[0] : 'it cannot be parsed';
    throw new StoreError(
      'not-found',
      `the store URL is wrong: ${reason}; special characters of a password are written as %XX`,
    );
  }
}

function databaseOf(url: string): { database: string } {
  const client = new mongo.MongoClient(url);
  const { dbName } = client.options;
  const names = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]*)/.exec(url)?.[1] ?? '';
  return { database: names === '' ? '' : dbName };
}

/** In production: a replica set or a sharded cluster, whose majority acknowledges. */
export async function checkServer(connection: Connection, production: boolean): Promise<void> {
  const hello = await connection.db!.admin().command({ hello: 1 });
  if ((hello['maxWireVersion'] as number) < OLDEST_WIRE_VERSION)
    throw new StoreError('unavailable', 'the database speaks an older protocol than MongoDB 6.0: use a newer one');
  if (!production) return;
  if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid')
    throw new StoreError(
      'unavailable',
      'the database is a stand-alone server, which may lose accepted messages: make it a replica set (one node will do), or set STORE_ALLOW_STANDALONE=true',
    );
}

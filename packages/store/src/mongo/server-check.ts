/** What a server and a URL must offer before a store is opened on them: the fault and its fix in one line. */
import type { Connection } from 'mongoose';
import { mongo } from 'mongoose';
import { StoreError } from '../port.ts';

/**
 * Of a URL, because other values than these would weaken what `accepted` means or where security questions are asked. Services that
 * hand out URLs write some of them.
 */
const STRONG: Readonly<Record<string, { readonly values: readonly string[]; readonly fix: string }>> = {
  w: { values: ['majority'], fix: 'writes are acknowledged by a majority' },
  journal: { values: ['true'], fix: 'writes are journaled' },
  j: { values: ['true'], fix: 'writes are journaled' },
  wtimeoutms: { values: [], fix: 'how long a write may take is not the URL’s to say' },
  readpreference: { values: ['primary'], fix: 'the primary is asked' },
  readconcernlevel: { values: ['majority'], fix: 'what a majority has is read' },
};

/** MongoDB 6.0. */
const OLDEST_WIRE_VERSION = 17;

/** Where a server keeps its users, its own settings and its replication. */
const OF_SERVER: ReadonlySet<string> = new Set(['admin', 'config', 'local']);
/** Narrower than what a server takes: the same on each. */
const DATABASE_NAME = /^[\w-]{1,63}$/;

const ENCODE = 'special characters of a user or password are written as %XX, @ as %40, / as %2F';

/** Throws a `StoreError` that never repeats the URL, since it may carry a password. */
export function parseUrl(url: string, production: boolean): void {
  const [place = '', query = ''] = url.split(/\?(.*)/s, 2);
  // The driver would take what follows the first of them for a host, and look it up.
  if (/^[a-z+]+:\/\/(?:[^@]*@[^@]*@|[^/@]*\/[^@]*@)/.test(place))
    throw new StoreError('not-found', `the store URL is wrong: it has an @ or a / too many; ${ENCODE}`);
  if (production)
    for (const [name, value] of new URLSearchParams(query)) {
      const strong = STRONG[name.toLowerCase()];
      if (strong && !strong.values.includes(value))
        throw new StoreError('not-found', `the store URL sets ${name}; leave it out: ${strong.fix}`);
    }
  try {
    const name = databaseOf(url);
    if (name === '')
      throw new StoreError('not-found', 'the store URL names no database; write mongodb://HOST/sealwire');
    if (OF_SERVER.has(name) || !DATABASE_NAME.test(name))
      throw new StoreError(
        'not-found',
        'the store URL names a database of the server’s own, or one that cannot be; write mongodb://HOST/sealwire, and the users’ database as authSource',
      );
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // The driver's texts name options, not values, but for a host that does not parse.
    const reason = error instanceof mongo.MongoParseError ? error.message.split('\n')[0] : 'it cannot be parsed';
    throw new StoreError('not-found', `the store URL is wrong: ${reason}; ${ENCODE}`);
  }
}

function databaseOf(url: string): string {
  const client = new mongo.MongoClient(url);
  const { dbName } = client.options;
  const names = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]*)/.exec(url)?.[1] ?? '';
  return names === '' ? '' : dbName;
}

/** Where a URL that `parseUrl` takes leads, `HOST,HOST/DATABASE`: without user and password. */
export function placeOf(url: string): string {
  const { hosts, srvHost, dbName } = new mongo.MongoClient(url).options;
  return `${srvHost ?? hosts.map(String).sort().join()}/${dbName}`;
}

const AUTHENTICATION_FAILED = 18;
const UNAUTHORIZED = 13;

/** Why no connection came about, in one line with the fix; undefined: something else. */
export function connectionFault(error: unknown): StoreError | undefined {
  const refused = (line: string) => new StoreError('unavailable', line, { cause: error });
  if (error instanceof mongo.MongoServerError && error.code === AUTHENTICATION_FAILED)
    return refused(`the database refuses the user or the password of the store URL; ${ENCODE}`);
  if (error instanceof mongo.MongoServerError && error.code === UNAUTHORIZED)
    return refused('the database does not let the user of the store URL read and write; give it the role readWrite');
  if (error instanceof mongo.MongoCompatibilityError && error.message.includes('load balancing'))
    return refused('the store URL sets loadBalanced, which the database does not offer; leave it out');
  const { code, syscall = '' } = error as NodeJS.ErrnoException;
  if (syscall.startsWith('query'))
    return refused(
      `the host of the store URL is not known to mongodb+srv (${code}); see its spelling and the name server`,
    );
  if (code === 'ENOENT' || code === 'EACCES')
    return refused(`a file that the store URL names cannot be read (${code}); see its options for TLS`);
  // Mongoose has a class of its own for it, with the same `reason`.
  const { reason } = error as { readonly reason?: mongo.TopologyDescription };
  if (!(reason?.servers instanceof Map)) return undefined;
  const { setName, servers } = reason;
  if (setName && servers.size === 0)
    return refused(
      `no server says that it is of the replica set ${setName}, as the store URL does; write the name that rs.status() gives`,
    );
  if ([...servers.values()].some(({ type }) => type === 'RSSecondary' || type === 'RSOther' || type === 'RSGhost'))
    return refused('the replica set of the store URL has no primary; initiate it, or wait for its election');
  const hosts = [...servers.keys()].join(', ');
  const why = [...servers.values()].find((server) => server.error)?.error?.message.split('\n')[0];
  return refused(
    `no database answers at ${hosts}${why ? ` (${why})` : ''}; see that it runs there, and that the store URL and it agree about TLS`,
  );
}

/** In production: the primary of a replica set, or a sharded cluster, so that a majority acknowledges. */
export async function checkServer(connection: Connection, production: boolean): Promise<void> {
  const hello = await connection.db!.admin().command({ hello: 1 });
  const fault = helloFault(hello, production);
  if (fault) throw new StoreError('unavailable', fault);
}

/** Of an answer to `hello`, what is looked at. */
export interface Hello {
  readonly maxWireVersion?: number | undefined;
  readonly setName?: string | undefined;
  /** `isdbgrid`: a router of a sharded cluster. */
  readonly msg?: string;
  readonly isWritablePrimary?: boolean;
}

/** What is wrong with a server, with the fix. */
export function helloFault(
  { maxWireVersion = 0, setName, msg, isWritablePrimary }: Hello,
  production: boolean,
): string | undefined {
  if (maxWireVersion < OLDEST_WIRE_VERSION)
    return 'the database speaks an older protocol than MongoDB 6.0: use a newer one';
  if (!production) return undefined;
  if (setName === undefined && msg !== 'isdbgrid')
    return 'the database is a stand-alone server, which may lose accepted messages: make it a replica set (one node will do)';
  if (isWritablePrimary !== true)
    return 'the database is not the primary of its replica set: leave directConnection out of the store URL';
  return undefined;
}

/**
 * A folder of an older schema becomes one of today's when it is opened: once, in transactions of
 * bounded size, which a process that dies leaves to the next one. One of schema 3 must have been
 * closed: then all of its log is in its mailboxes. Of schema 4 the log is as today's.
 *
 * Records of both have no checksums. Ring of both: 8 ring id · f64 (little-endian) capacity, offset
 * where the oldest record begins, LSN and seal of the one before it, newest LSN given out.
 */
import { join } from 'node:path';
import type { DeviceId } from '@sealwire/wire/ids';
import { StoreError } from '../../port.ts';
import { type Db, type Environment, SCHEMA, SCHEMA_KEY, UPGRADED } from '../environment.ts';
import { LOG_FILE, type Place, RING_ID_BYTES, type Ring, RingFile } from '../log/ring-file.ts';
import { putRing } from '../log/ring-state.ts';
import { decodeHead } from '../mailboxes/head.ts';
import { prefixedKey } from '../records/keys.ts';
import { checkedPart, withCheck } from '../records/record.ts';
import { indexKeys } from './key-index.ts';
import { upgradeMailbox3 } from './schema-3.ts';
import { HEAD_4_BYTES, upgradeMailbox4 } from './schema-4.ts';

const RECORDS_AT_ONCE = 1_000;
const BYTES_AT_ONCE = 16 << 20;
const RING_KEY = Buffer.from('ring');
const FIRST = Buffer.of(0);
const ONE_TIME_KEY = 'k'.charCodeAt(0);

/** `path`: the data folder. Throws `corrupt` when the folder was not closed, and must have been. */
export function upgrade(environment: Environment, path: string): void {
  const { root, databases } = environment;
  let schema = root.getBinary(SCHEMA_KEY)?.toString();
  if (schema === SCHEMA) return;
  const put = (next: string) => root.putSync(SCHEMA_KEY, Buffer.from(next));
  const move = (from: string, to: string) => {
    if (schema !== from) return;
    root.transactionSync(() => put(to));
    schema = to;
  };
  const ring = ringOf(databases.journal);
  if (schema === UPGRADED.schema3 && ring) checkClosed(ring, path);
  move(UPGRADED.schema3, UPGRADED.from3);
  move(UPGRADED.schema4, UPGRADED.from4);
  // Where the version before this one had begun.
  move(UPGRADED.from3To4, UPGRADED.from4);

  for (const name of ['accounts', 'manifests', 'devices', 'prekeys', 'waiting', 'invitations'] as const)
    eachOf(environment, databases[name], addCheck);
  eachOf(environment, databases.apppasswords, addCheck);
  eachOf(environment, databases.accepted, addCheck);
  eachOf(environment, databases.onetime, (db, key) =>
    key[key.indexOf(0) + 2] === ONE_TIME_KEY ? addCheck(db, key) : 0,
  );
  if (schema === UPGRADED.from3)
    root.transactionSync(() => {
      indexKeys(databases);
      put(UPGRADED.from4);
    });
  let highestSeq = 0;
  eachOf(environment, databases.devices, (_, key) => {
    const prefix = prefixedKey(key.toString('utf8') as DeviceId);
    const bytes = upgradeMailbox(databases.mailboxes, prefix);
    const head = databases.mailboxes.getBinary(prefix);
    highestSeq = Math.max(highestSeq, (head && decodeHead(head)?.settledSeq) ?? 0);
    return bytes;
  });
  root.transactionSync(() => {
    if (ring) putRing(databases.journal, { ...ring, logged: ring.start.previous, isOpen: false, epoch: 0, highestSeq });
    put(SCHEMA);
  });
}

interface OlderRing extends Ring {
  readonly start: Place;
  readonly newest: number;
}

/** Undefined: a process died before it made one. */
function ringOf(db: Db): OlderRing | undefined {
  const bytes = db.getBinary(RING_KEY);
  if (!bytes) return undefined;
  const number = (index: number) => bytes.readDoubleLE(RING_ID_BYTES + index * 8);
  const start = { offset: number(1), previous: number(2), seal: number(3) };
  return { id: bytes.subarray(0, RING_ID_BYTES), capacity: number(0), start, newest: number(4) };
}

function checkClosed({ start, ...ring }: OlderRing, path: string): void {
  const file = new RingFile(join(path, LOG_FILE), ring);
  const isClosed = file.read(start) === undefined;
  file.close();
  if (!isClosed)
    throw new StoreError(
      'corrupt',
      `the data folder ${path} was not closed by the version before this one; start and stop that one, then this one`,
    );
}

/** Calls `change` for each key, in transactions; it answers how many bytes it wrote. */
function eachOf({ root }: Environment, db: Db, change: (db: Db, key: Buffer) => number): void {
  for (let start = FIRST, isMore = true; isMore; )
    isMore = root.transactionSync(() => {
      let bytes = 0;
      const keys = [...db.getKeys({ start, limit: RECORDS_AT_ONCE })];
      for (const key of keys) {
        bytes += change(db, key);
        start = Buffer.concat([key, FIRST]);
        if (bytes > BYTES_AT_ONCE) return true;
      }
      return keys.length === RECORDS_AT_ONCE;
    });
}

/** Unless it has one: an upgrade that was begun goes on. A record of one byte is a tombstone. */
function addCheck(db: Db, key: Buffer): number {
  const record = db.getBinary(key) as Buffer;
  if (record.length === 1 || checkedPart(record)) return 0;
  db.putSync(key, withCheck(record));
  return record.length;
}

function upgradeMailbox(db: Db, prefix: Buffer): number {
  const head = db.getBinary(prefix);
  if (!head || decodeHead(head)) return 0;
  return head.length === HEAD_4_BYTES ? upgradeMailbox4(db, prefix, head) : upgradeMailbox3(db, prefix, head);
}

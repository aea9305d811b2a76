/**
 * The message ids that are remembered (`MailboxLimits.memory`), and an index in memory of where
 * each id is: in the record of the log that brought the message, or, once a checkpoint took that
 * over, in a record here of its LSN. Written at the end and forgotten at the beginning, so that an
 * id costs the same whether clients choose them by time or at random.
 *
 * key:   u48 the newest LSN of the commits whose ids are here, which follow one another; and u16 of the
 *        record (absent: 0) if one commit has several
 * value: f64 youngest (ms) · u16 senders, for each u16 length, device id · for each message: 16 id,
 *        u16 sender, u8 length of the digest (plus 128: some mailboxes refused it), digest · if
 *        some did: u16 how many, for each u16 length, device id · u32 CRC-32 of all that
 *
 * The ids of a record that is damaged are forgotten.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { MailboxLimits } from '../../port.ts';
import type { Db } from '../environment.ts';
import type { CommitLog } from '../log/commit-log.ts';
import type { CommitRecord } from '../log/load-log.ts';
import { digestAt, digestEnd, idAt, refusedBy, senderOf, takenEntriesOf, timeOf } from '../log/log-record.ts';
import { u48 } from '../records/keys.ts';
import { checkedPart, withCheck } from '../records/record.ts';
import { IdIndex } from './id-index.ts';

const ID_BYTES = 16;
/** Of a message: id, sender, length of the digest. */
const HEAD_BYTES = ID_BYTES + 3;
const REFUSED = 0x80;
const SENDERS_AT = 8;
const LSN_BYTES = 6;
/** As many senders as a u16 counts. */
const MOST_PER_RECORD = 4_096;
/** With so many ids a record takes no further commit: who looks for one id reads them all. */
const ENOUGH_PER_RECORD = 256;
/** Records that one transaction forgets beyond as many as it adds. */
const FORGET_AT_ONCE = 16;
const RECORDS_AT_ONCE = 256;

type Memory = MailboxLimits['memory'];

/** What is remembered of a message. */
export interface RememberedId {
  readonly sender: DeviceId;
  readonly id: Uint8Array;
  readonly digest: Uint8Array;
  readonly refused: readonly DeviceId[];
  /** When its message was taken, or the youngest one of its record, ms. */
  readonly at: number;
}

/** A message in a part of a commit record. */
interface Sent {
  readonly part: Buffer;
  readonly entry: number;
  readonly sender: DeviceId;
}

/**
 * What is known of an id: nothing, that other content came with it, or whose mailboxes refused its
 * message.
 */
export type Finding = 'new' | 'conflict' | { readonly refused: readonly DeviceId[] };

export class AcceptedIds {
  readonly #db: Db;
  readonly #log: CommitLog;
  readonly #index: IdIndex;
  /** Ids in records here. */
  #count = 0;
  #memory: Memory = { ms: Number.POSITIVE_INFINITY, messages: Number.POSITIVE_INFINITY };
  /** When the last message was taken (ms): an earlier one may have been by a clock that was ahead. */
  #newest = Number.NEGATIVE_INFINITY;

  constructor(db: Db, log: CommitLog, seed: Uint8Array) {
    this.#db = db;
    this.#log = log;
    this.#index = new IdIndex(seed);
  }

  /** Indexes all that is remembered, giving way to others now and then. */
  async load(): Promise<void> {
    let start = u48(0);
    for (let isMore = true; isMore; ) {
      const records = [...this.#db.getRange({ start, limit: RECORDS_AT_ONCE })];
      for (const { key, value } of records) {
        const lsn = lsnOf(key);
        const record = checkedPart(value);
        if (!record) this.#log.report('ids');
        for (const at of messagesOf(record)) {
          this.#index.add(this.#index.fingerprint(record as Buffer, at), lsn);
          this.#count++;
        }
        start = Buffer.concat([key, Buffer.of(0)]);
      }
      isMore = records.length === RECORDS_AT_ONCE;
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { lsn, parts } of this.#log.records)
      for (const part of parts)
        for (const entry of takenEntriesOf(part)) this.#index.add(this.#index.fingerprint(part, idAt(entry)), lsn);
  }

  /** How long the ids are remembered from now on. */
  remember(memory: Memory): void {
    this.#memory = memory;
  }

  /** What `find` and `add` want to know of the ids of these messages. */
  fingerprints(part: Buffer, entries: readonly number[]): number[] {
    const fingerprints: number[] = [];
    for (let i = 0; i < entries.length; i++)
      fingerprints.push(this.#index.fingerprint(part, idAt(entries[i] as number)));
    this.#index.prefetch(fingerprints);
    return fingerprints;
  }

  find(part: Buffer, entry: number, sender: DeviceId, fingerprint: number): Finding {
    const lsns = this.#index.records(fingerprint);
    for (let i = 0; i < lsns.length; i++) {
      const sent = { part, entry, sender };
      const lsn = lsns[i] as number;
      const finding = findInParts(this.#log.partsOf(lsn), sent) ?? this.#findInRecords(lsn, sent);
      if (finding) return finding;
    }
    return 'new';
  }

  /**
   * It is in this commit, which if it fails has left the index with an entry that leads nowhere, as
   * it may.
   */
  add(part: Buffer, entry: number, fingerprint: number): void {
    this.#index.add(fingerprint, this.#log.lsn);
    this.#newest = timeOf(part, entry);
  }

  /**
   * Inside a transaction of LMDB that says this commit. How many ids more there are: `count`
   * follows when it is durable.
   */
  takeFresh(): number {
    const lsn = this.#log.lsn;
    const sent = sentIn(this.#log.partsOf(lsn) ?? []);
    this.#write(lsn, sent);
    return sent.length;
  }

  /**
   * The same for records of the log, which will go from there; and the oldest ids that need not be
   * remembered go.
   */
  takeOver(records: readonly CommitRecord[]): number {
    let more = 0;
    let written = 0;
    let run: Sent[] = [];
    for (const [i, { lsn, parts }] of records.entries()) {
      const sent = sentIn(parts);
      more += sent.length;
      run = run.length === 0 ? sent : [...run, ...sent];
      // A commit that went through LMDB between two of these has a record of its own.
      if (run.length < ENOUGH_PER_RECORD && records[i + 1]?.lsn === lsn + 1) continue;
      written += this.#write(lsn, run);
      run = [];
    }
    return more - this.#forgetOldest(this.#count + more, written + FORGET_AT_ONCE);
  }

  count(more: number): void {
    this.#count += more;
  }

  /** Of `count` ids those in at most `limit` records; how many. */
  #forgetOldest(count: number, limit: number): number {
    const { ms, messages } = this.#memory;
    let forgotten = 0;
    let newest = 0;
    for (const key of [...this.#db.getKeys({ limit })]) {
      const record = checkedPart(this.#db.getBinaryFast(key) as Buffer);
      const held = [...messagesOf(record)].length;
      if (record && count - forgotten - held < messages && record.readDoubleLE(0) >= this.#newest - ms) break;
      this.#db.removeSync(key);
      newest = lsnOf(key);
      forgotten += held;
    }
    if (newest === 0) return 0;
    const [next] = [...this.#db.getKeys({ limit: 1 })];
    // One commit may have several records, of which the first have gone.
    const first = next && lsnOf(next) === newest ? newest : newest + 1;
    this.#index.forgetBelow(Math.min(first, this.#log.oldest));
    return forgotten;
  }

  /** Of commits of which `lsn` is the newest; how many records. */
  #write(lsn: number, sent: readonly Sent[]): number {
    let record = 0;
    for (let from = 0; from < sent.length; from += MOST_PER_RECORD)
      this.#db.putSync(keyOf(lsn, record++), withCheck(encode(sent.slice(from, from + MOST_PER_RECORD))));
    return record;
  }

  /** In the records of the run of commits that `lsn` is one of. */
  #findInRecords(lsn: number, sent: Sent): Finding | undefined {
    let newest: number | undefined;
    for (const { key, value } of this.#db.getRange({ start: u48(lsn) })) {
      newest ??= lsnOf(key);
      if (lsnOf(key) !== newest) break;
      const record = checkedPart(value);
      const finding = record && findInRecord(record, sent);
      if (finding) return finding;
    }
    return undefined;
  }
}

function sentIn(parts: readonly Buffer[]): Sent[] {
  const sent: Sent[] = [];
  for (const part of parts)
    for (const entry of takenEntriesOf(part)) sent.push({ part, entry, sender: senderOf(part, entry) });
  return sent;
}

function keyOf(lsn: number, record: number): Buffer {
  return record === 0 ? u48(lsn) : Buffer.concat([u48(lsn), Buffer.of(record >> 8, record & 0xff)]);
}

function lsnOf(key: Buffer): number {
  return key.readUIntBE(0, LSN_BYTES);
}

function findInParts(parts: readonly Buffer[] | undefined, sent: Sent): Finding | undefined {
  const idFrom = idAt(sent.entry);
  for (const part of parts ?? [])
    for (const entry of takenEntriesOf(part)) {
      const at = idAt(entry);
      if (!isSameId(part, at, sent.part, idFrom)) continue;
      if (senderOf(part, entry) !== sent.sender) continue;
      if (!isDigestOf(sent, part, digestAt(entry), digestEnd(part, entry))) return 'conflict';
      return { refused: refusedBy(part, entry) };
    }
  return undefined;
}

function findInRecord(record: Buffer, sent: Sent): Finding | undefined {
  const idFrom = idAt(sent.entry);
  for (const at of messagesOf(record)) {
    if (!isSameId(record, at, sent.part, idFrom)) continue;
    if (namesAt(record, SENDERS_AT)[record.readUInt16LE(at + ID_BYTES)] !== sent.sender) continue;
    const end = recordDigestEnd(record, at);
    if (!isDigestOf(sent, record, at + HEAD_BYTES, end)) return 'conflict';
    return { refused: hasRefused(record, at) ? namesAt(record, end) : [] };
  }
  return undefined;
}

/**
 * A call of `Buffer.compare` takes longer than all of this, and of a commit of hundreds of messages each is asked: two senders who choose
 * the same ids, by accident or on purpose, must not make it dear.
 */
function isSameId(one: Buffer, at: number, other: Buffer, from: number): boolean {
  for (let i = 0; i < ID_BYTES; i++) if (one[at + i] !== other[from + i]) return false;
  return true;
}

function isDigestOf({ part, entry }: Sent, bytes: Buffer, from: number, end: number): boolean {
  return part.compare(bytes, from, end, digestAt(entry), digestEnd(part, entry)) === 0;
}

function encode(messages: readonly Sent[]): Buffer {
  const senders = new Map<DeviceId, number>();
  let youngest = Number.NEGATIVE_INFINITY;
  let length = SENDERS_AT;
  for (const { part, entry, sender } of messages) {
    youngest = Math.max(youngest, timeOf(part, entry));
    const refused = refusedBy(part, entry);
    length += HEAD_BYTES + digestEnd(part, entry) - digestAt(entry) + (refused.length > 0 ? bytesOfNames(refused) : 0);
    if (!senders.has(sender)) senders.set(sender, senders.size);
  }
  const record = Buffer.allocUnsafe(length + bytesOfNames(senders.keys()));
  let at = writeNames(record, record.writeDoubleLE(youngest), [...senders.keys()]);
  for (const { part, entry, sender } of messages) {
    const from = digestAt(entry);
    const end = digestEnd(part, entry);
    const refused = refusedBy(part, entry);
    const idFrom = idAt(entry);
    for (let i = 0; i < ID_BYTES; i++) record[at + i] = part[idFrom + i] as number;
    record.writeUInt16LE(senders.get(sender) as number, at + ID_BYTES);
    record[at + HEAD_BYTES - 1] = end - from + (refused.length > 0 ? REFUSED : 0);
    at += HEAD_BYTES;
    for (let i = from; i < end; i++) record[at++] = part[i] as number;
    if (refused.length > 0) at = writeNames(record, at, refused);
  }
  return record;
}

/** Where each message of a record begins; in a damaged one none does. */
function* messagesOf(record: Buffer | undefined): Generator<number> {
  if (!record) return;
  let at = namesEnd(record, SENDERS_AT);
  while (at < record.length) {
    yield at;
    const end = recordDigestEnd(record, at);
    at = hasRefused(record, at) ? namesEnd(record, end) : end;
  }
}

/** All that a record (without its checksum) says. */
export function* idsOfRecord(record: Buffer): Generator<RememberedId> {
  const senders = namesAt(record, SENDERS_AT);
  for (const at of messagesOf(record)) {
    const end = recordDigestEnd(record, at);
    yield {
      sender: senders[record.readUInt16LE(at + ID_BYTES)] as DeviceId,
      id: record.subarray(at, at + ID_BYTES),
      digest: record.subarray(at + HEAD_BYTES, end),
      refused: hasRefused(record, at) ? namesAt(record, end) : [],
      at: record.readDoubleLE(0),
    };
  }
}

function hasRefused(record: Buffer, at: number): boolean {
  return (record.readUInt8(at + HEAD_BYTES - 1) & REFUSED) !== 0;
}

function recordDigestEnd(record: Buffer, at: number): number {
  return at + HEAD_BYTES + (record.readUInt8(at + HEAD_BYTES - 1) & ~REFUSED);
}

function bytesOfNames(names: Iterable<DeviceId>): number {
  let bytes = 2;
  for (const name of names) bytes += 2 + Buffer.byteLength(name);
  return bytes;
}

/** Where they end. */
function writeNames(record: Buffer, start: number, names: readonly DeviceId[]): number {
  let at = record.writeUInt16LE(names.length, start);
  for (const name of names) {
    const bytes = record.write(name, at + 2);
    record.writeUInt16LE(bytes, at);
    at += 2 + bytes;
  }
  return at;
}

function namesEnd(record: Buffer, start: number): number {
  let at = start + 2;
  for (let left = record.readUInt16LE(start); left > 0; left--) at += 2 + record.readUInt16LE(at);
  return at;
}

function namesAt(record: Buffer, start: number): DeviceId[] {
  const names: DeviceId[] = [];
  for (let at = start + 2; names.length < record.readUInt16LE(start); at += 2 + record.readUInt16LE(at))
    names.push(record.toString('utf8', at + 2, at + 2 + record.readUInt16LE(at)) as DeviceId);
  return names;
}

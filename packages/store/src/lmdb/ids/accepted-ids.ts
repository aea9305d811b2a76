/**
 * The message ids of the last day, and an index in memory of where each id is: in the flight of the journal that brought the message, or,
 * when that is settled, in a record of its number. Written at the end and forgotten at the beginning, so that an id costs the same whether
 * clients choose them by time or at random.
 *
 * key:   u48 number of the flight, and u16 of the record (absent: 0) if it has several
 * value: f64 youngest (ms) · u16 senders, for each u16 length, device id · for each message: 16 id, u16 sender, u8 length, digest
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Db } from '../environment.ts';
import type { Flight, Journal } from '../log/commit-log.ts';
import { digestAt, digestEnd, idAt, senderOf, takenEntriesOf, timeOf } from '../log/log-record.ts';
import { u48 } from '../records/keys.ts';
import { AcceptedIndex } from './id-index.ts';

const ID_BYTES = 16;
/** Of a message: id, sender, length of the digest. */
const HEAD_BYTES = ID_BYTES + 3;
const SENDERS_AT = 10;
const NUMBER_BYTES = 6;
/** As many senders as a u16 counts. */
const MESSAGES_PER_RECORD = 4_096;
const MOST_RECORDS = 0xffff;
/** What one transaction forgets. */
const FORGET_AT_ONCE = 500;
const RECORDS_AT_ONCE = 256;

/** A message in a part of the journal. */
export interface Sent {
  readonly part: Buffer;
  readonly entry: number;
  readonly sender: DeviceId;
}

export class AcceptedLog {
  readonly #db: Db;
  readonly #journal: Journal;
  readonly #index: AcceptedIndex;
  /** The records up to this key are in the index. */
  #known = u48(0);
  /** Of this transaction. */
  #fresh: Sent[] = [];

  constructor(db: Db, journal: Journal, seed: Uint8Array) {
    this.#db = db;
    this.#journal = journal;
    this.#index = new AcceptedIndex(seed);
  }

  /**
   * Indexes all that is remembered, giving way to others now and then: records, and with them, as of the same snapshot, the journal. Its
   * flights may be settled before the first transaction, in records that lie before those that are known by then.
   */
  async load(renew: () => void): Promise<void> {
    for (let isMore = true; isMore; ) {
      renew();
      const known = this.#known;
      this.#journal.learn(this.indexFlight);
      isMore = this.#learn(RECORDS_AT_ONCE);
      renew();
      if (this.#journal.isOutrun()) {
        this.#known = known;
        isMore = true;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Indexes what others have written, and drops from the index what is forgotten. Inside a write transaction only. */
  learn(): void {
    while (this.#learn(RECORDS_AT_ONCE));
    for (const first of this.#db.getKeys({ limit: 1 }))
      this.#index.forgetBelow(Math.min(first.readUIntBE(0, NUMBER_BYTES), this.#journal.oldest));
  }

  readonly indexFlight = ({ number, parts }: Flight): void => {
    for (const part of parts)
      for (const entry of takenEntriesOf(part)) this.#index.add(this.#index.fingerprint(part, idAt(entry)), number);
  };

  /** What `find` and `add` want to know of the ids of these messages. */
  fingerprints(part: Buffer, entries: readonly number[]): number[] {
    const fingerprints: number[] = [];
    for (let i = 0; i < entries.length; i++)
      fingerprints.push(this.#index.fingerprint(part, idAt(entries[i] as number)));
    this.#index.prefetch(fingerprints);
    return fingerprints;
  }

  /**
   * `repeated` or `conflict` when the sender's id is remembered with the same digest or another; `new`: it is remembered from now on if
   * the caller `add`s it. Inside a write transaction only.
   */
  find(part: Buffer, entry: number, sender: DeviceId, fingerprint: number): 'new' | 'repeated' | 'conflict' {
    const numbers = this.#index.records(fingerprint);
    for (let i = 0; i < numbers.length; i++) {
      const sent = { part, entry, sender };
      const number = numbers[i] as number;
      const digest = digestInParts(this.#journal.partsOf(number), sent) ?? this.#digestInRecords(number, sent);
      if (digest)
        return part.compare(digest, 0, digest.length, digestAt(entry), digestEnd(part, entry)) === 0
          ? 'repeated'
          : 'conflict';
    }
    return 'new';
  }

  /** A transaction begins. */
  begin(): void {
    this.#fresh = [];
  }

  /** It is in this transaction, which if it fails has left the index with an entry that leads nowhere, as it may. */
  add(sent: Sent, fingerprint: number): void {
    this.#index.add(fingerprint, this.#journal.number);
    this.#fresh.push(sent);
  }

  /** The records of what this transaction added: made now, while it is in the processor's caches. */
  records(): Buffer[] {
    return recordsOf(this.#fresh);
  }

  /** Forgets ids that are older than `horizon` (ms); true when some are left to forget. Inside a write transaction only. */
  forget(horizon: number): boolean {
    const keys = [...this.#db.getKeys({ limit: FORGET_AT_ONCE })];
    for (const key of keys) {
      const record = this.#db.getBinaryFast(key);
      if (record && record.readDoubleLE(0) >= horizon) return false;
      this.#db.removeSync(key);
    }
    return keys.length === FORGET_AT_ONCE;
  }

  /** Writes down what a flight accepted, because the journal will not have it any more. */
  write(number: number, records: readonly Buffer[]): void {
    for (const [i, record] of records.entries()) this.#db.putSync(keyOf(number, i), record);
  }

  /** Records up to this number were written by us, or are in the index. */
  knows(number: number): void {
    this.#known = keyOf(number, MOST_RECORDS);
  }

  /** Indexes up to `limit` records that are not known yet; true when there may be more. */
  #learn(limit: number): boolean {
    let count = 0;
    for (const { key, value } of this.#db.getRange({ start: Buffer.concat([this.#known, Buffer.of(0)]), limit })) {
      const number = key.readUIntBE(0, NUMBER_BYTES);
      for (const at of messagesOf(value)) this.#index.add(this.#index.fingerprint(value, at), number);
      count++;
      this.#known = key;
    }
    return count === limit;
  }

  #digestInRecords(number: number, sent: Sent): Buffer | undefined {
    for (let i = 0; ; i++) {
      const record = this.#db.getBinary(keyOf(number, i));
      if (!record) return undefined;
      const digest = digestIn(record, sent);
      if (digest) return digest;
    }
  }
}

function keyOf(number: number, record: number): Buffer {
  return record === 0 ? u48(number) : Buffer.concat([u48(number), Buffer.of(record >> 8, record & 0xff)]);
}

function digestInParts(parts: readonly Buffer[] | undefined, sent: Sent): Buffer | undefined {
  const idFrom = idAt(sent.entry);
  for (const part of parts ?? [])
    for (const entry of takenEntriesOf(part)) {
      const at = idAt(entry);
      if (sent.part.compare(part, at, at + ID_BYTES, idFrom, idFrom + ID_BYTES) !== 0) continue;
      if (senderOf(part, entry) === sent.sender) return part.subarray(digestAt(entry), digestEnd(part, entry));
    }
  return undefined;
}

/** The records of what these parts took. */
export function recordsOfParts(parts: readonly Buffer[]): Buffer[] {
  const taken: Sent[] = [];
  for (const part of parts)
    for (const entry of takenEntriesOf(part)) taken.push({ part, entry, sender: senderOf(part, entry) });
  return recordsOf(taken);
}

function recordsOf(taken: readonly Sent[]): Buffer[] {
  const records: Buffer[] = [];
  for (let from = 0; from < taken.length; from += MESSAGES_PER_RECORD)
    records.push(encode(taken.slice(from, from + MESSAGES_PER_RECORD)));
  return records;
}

function encode(messages: readonly Sent[]): Buffer {
  const senders = new Map<DeviceId, number>();
  let youngest = Number.NEGATIVE_INFINITY;
  let length = SENDERS_AT;
  for (const { part, entry, sender } of messages) {
    youngest = Math.max(youngest, timeOf(part, entry));
    length += HEAD_BYTES + digestEnd(part, entry) - digestAt(entry);
    if (senders.has(sender)) continue;
    senders.set(sender, senders.size);
    length += 2 + Buffer.byteLength(sender);
  }
  const record = Buffer.allocUnsafe(length);
  record.writeDoubleLE(youngest);
  record.writeUInt16LE(senders.size, 8);
  let at = SENDERS_AT;
  for (const sender of senders.keys()) {
    const bytes = record.write(sender, at + 2);
    record.writeUInt16LE(bytes, at);
    at += 2 + bytes;
  }
  for (const { part, entry, sender } of messages) {
    const from = digestAt(entry);
    const end = digestEnd(part, entry);
    const idFrom = idAt(entry);
    for (let i = 0; i < ID_BYTES; i++) record[at + i] = part[idFrom + i] as number;
    record.writeUInt16LE(senders.get(sender) as number, at + ID_BYTES);
    record[at + HEAD_BYTES - 1] = end - from;
    at += HEAD_BYTES;
    for (let i = from; i < end; i++) record[at++] = part[i] as number;
  }
  return record;
}

/** Where each message of a record begins. */
function* messagesOf(record: Buffer): Generator<number> {
  let at = SENDERS_AT;
  for (let senders = record.readUInt16LE(8); senders > 0; senders--) at += 2 + record.readUInt16LE(at);
  for (; at < record.length; at += HEAD_BYTES + record.readUInt8(at + HEAD_BYTES - 1)) yield at;
}

/** The digest of the message with this sender and id; undefined: it is not in this record. */
function digestIn(record: Buffer, { part, entry, sender }: Sent): Buffer | undefined {
  const idFrom = idAt(entry);
  for (const at of messagesOf(record))
    if (
      part.compare(record, at, at + ID_BYTES, idFrom, idFrom + ID_BYTES) === 0 &&
      nameOf(record, record.readUInt16LE(at + ID_BYTES)) === sender
    )
      return record.subarray(at + HEAD_BYTES, at + HEAD_BYTES + record.readUInt8(at + HEAD_BYTES - 1));
  return undefined;
}

function nameOf(record: Buffer, sender: number): string {
  let at = SENDERS_AT;
  for (let i = 0; i < sender; i++) at += 2 + record.readUInt16LE(at);
  return record.toString('utf8', at + 2, at + 2 + record.readUInt16LE(at));
}

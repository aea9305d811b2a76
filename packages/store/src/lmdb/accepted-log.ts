/**
 * The message ids of the last day: one record a commit, numbered without end, and an index in memory of where each id is. Written at the
 * end and forgotten at the beginning, so that an id costs the same whether clients choose them by time or at random.
 *
 * key:   u48 number
 * value: f64 youngest (ms) · u16 senders, for each u16 length, device id · for each message: 16 id, u16 sender, u8 length, digest
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { AcceptedIndex } from './accepted-index.ts';
import type { Db } from './environment.ts';
import { u48 } from './keys.ts';
import type { Participant } from './writer.ts';

const ID_BYTES = 16;
/** Of a message: id, sender, length of the digest. */
const HEAD_BYTES = ID_BYTES + 3;
const SENDERS_AT = 10;
/** As many senders as a u16 counts; a commit with more messages writes several records. */
const MESSAGES_PER_RECORD = 4_096;
/** What one transaction forgets. */
const FORGET_AT_ONCE = 500;
const RECORDS_AT_ONCE = 256;

/** A message on its way in. Its id and digest lie in `arena`. */
export interface Sent {
  readonly sender: DeviceId;
  /** When it was taken, ms. */
  readonly at: number;
  readonly arena: Buffer;
  /** Where the 16 bytes of the id begin. */
  readonly idAt: number;
  readonly digestAt: number;
  readonly digestEnd: number;
}

export class AcceptedLog implements Participant {
  readonly #db: Db;
  readonly #index: AcceptedIndex;
  /** Of this transaction, in order; the index has them already under the records that will hold them. */
  #fresh: Sent[] = [];
  /** Newest record that is committed, as far as we know. */
  #known = 0;
  /** Newest record that this transaction wrote. */
  #written = 0;

  constructor(db: Db, seed: Uint8Array) {
    this.#db = db;
    this.#index = new AcceptedIndex(seed);
  }

  /** Indexes all there is, giving way to others now and then. */
  async load(): Promise<void> {
    while (this.#learn(RECORDS_AT_ONCE)) await new Promise((resolve) => setImmediate(resolve));
  }

  begin(isAlone: boolean): void {
    if (isAlone) return;
    while (this.#learn(RECORDS_AT_ONCE));
    for (const first of this.#db.getKeys({ start: u48(0), limit: 1 })) this.#index.forgetBelow(first.readUIntBE(0, 6));
  }

  /** What `find` and `add` want to know of the id. */
  fingerprint({ arena, idAt }: Sent): number {
    return this.#index.fingerprint(arena, idAt);
  }

  /**
   * `repeated` or `conflict` when the sender's id is remembered with the same digest or another; `new`: it is remembered from now on if
   * the caller `add`s it. Inside a write transaction only.
   */
  find(sent: Sent, fingerprint: number): 'new' | 'repeated' | 'conflict' {
    for (const number of this.#index.records(fingerprint)) {
      if (number > this.#known) {
        const fresh = this.#fresh.find((other) => isSameId(other, sent));
        if (fresh) return verdict(fresh.arena, fresh.digestAt, fresh.digestEnd, sent);
        continue;
      }
      const record = this.#db.getBinary(u48(number));
      const at = record ? findIn(record, sent) : -1;
      if (record && at >= 0)
        return verdict(record, at + HEAD_BYTES, at + HEAD_BYTES + record.readUInt8(at + HEAD_BYTES - 1), sent);
    }
    return 'new';
  }

  /** When the transaction fails, the index has pointed to a record that does not hold the id, as it may. */
  add(sent: Sent, fingerprint: number): void {
    this.#index.add(fingerprint, this.#known + 1 + Math.floor(this.#fresh.length / MESSAGES_PER_RECORD));
    this.#fresh.push(sent);
  }

  /** Forgets ids that are older than `horizon` (ms); true when some are left to forget. Inside a write transaction only. */
  forget(horizon: number): boolean {
    const keys = [...this.#db.getKeys({ start: u48(0), limit: FORGET_AT_ONCE + 1 })];
    // The newest record stays, because the next number is counted from it.
    keys.pop();
    for (const key of keys) {
      const record = this.#db.getBinaryFast(key);
      if (record && record.readDoubleLE(0) >= horizon) return false;
      this.#db.removeSync(key);
    }
    return keys.length === FORGET_AT_ONCE;
  }

  write(): boolean {
    this.#written = this.#known;
    for (let from = 0; from < this.#fresh.length; from += MESSAGES_PER_RECORD)
      this.#db.putSync(u48(++this.#written), encode(this.#fresh.slice(from, from + MESSAGES_PER_RECORD)));
    return this.#fresh.length > 0;
  }

  done(committed: boolean): void {
    if (committed) this.#known = this.#written;
    this.#fresh = [];
  }

  /** Indexes up to `limit` records that are not known yet; true when there may be more. */
  #learn(limit: number): boolean {
    let count = 0;
    for (const { key, value } of this.#db.getRange({ start: u48(this.#known + 1), limit })) {
      this.#known = key.readUIntBE(0, 6);
      for (const at of messagesOf(value)) this.#index.add(this.#index.fingerprint(value, at), this.#known);
      count++;
    }
    return count === limit;
  }
}

function encode(messages: readonly Sent[]): Buffer {
  const senders = new Map<DeviceId, number>();
  let youngest = Number.NEGATIVE_INFINITY;
  let length = SENDERS_AT;
  for (const sent of messages) {
    if (sent.at > youngest) youngest = sent.at;
    length += HEAD_BYTES + sent.digestEnd - sent.digestAt;
    if (senders.has(sent.sender)) continue;
    senders.set(sent.sender, senders.size);
    length += 2 + Buffer.byteLength(sent.sender);
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
  for (const { sender, arena, idAt, digestAt, digestEnd } of messages) {
    for (let i = 0; i < ID_BYTES; i++) record[at + i] = arena[idAt + i] as number;
    record.writeUInt16LE(senders.get(sender) as number, at + ID_BYTES);
    record[at + HEAD_BYTES - 1] = digestEnd - digestAt;
    at += HEAD_BYTES;
    for (let i = digestAt; i < digestEnd; i++) record[at++] = arena[i] as number;
  }
  return record;
}

/** Where each message of a record begins. */
function* messagesOf(record: Buffer): Generator<number> {
  let at = SENDERS_AT;
  for (let senders = record.readUInt16LE(8); senders > 0; senders--) at += 2 + record.readUInt16LE(at);
  for (; at < record.length; at += HEAD_BYTES + record.readUInt8(at + HEAD_BYTES - 1)) yield at;
}

/** Where the message with the sender and the id of `sent` begins; -1: it is not in this record. */
function findIn(record: Buffer, { sender, arena, idAt }: Sent): number {
  for (const at of messagesOf(record))
    if (
      isSameRange(record, at, at + ID_BYTES, arena, idAt, idAt + ID_BYTES) &&
      senderOf(record, record.readUInt16LE(at + ID_BYTES)) === sender
    )
      return at;
  return -1;
}

function senderOf(record: Buffer, index: number): string {
  let at = SENDERS_AT;
  for (let i = 0; i < index; i++) at += 2 + record.readUInt16LE(at);
  return record.toString('utf8', at + 2, at + 2 + record.readUInt16LE(at));
}

function isSameId(a: Sent, b: Sent): boolean {
  return a.sender === b.sender && isSameRange(a.arena, a.idAt, a.idAt + ID_BYTES, b.arena, b.idAt, b.idAt + ID_BYTES);
}

function verdict(
  bytes: Buffer,
  from: number,
  to: number,
  { arena, digestAt, digestEnd }: Sent,
): 'repeated' | 'conflict' {
  return isSameRange(bytes, from, to, arena, digestAt, digestEnd) ? 'repeated' : 'conflict';
}

function isSameRange(a: Buffer, aFrom: number, aTo: number, b: Buffer, bFrom: number, bTo: number): boolean {
  return a.compare(b, bFrom, bTo, aFrom, aTo) === 0;
}

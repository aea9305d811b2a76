/**
 * The message ids of the last day: one record a commit, numbered without end, and an index in memory of where each id is. Written at the
 * end and forgotten at the beginning, so that an id costs the same whether clients choose them by time or at random.
 *
 * key:   u48 number
 * value: f64 youngest (ms) · u16 senders, for each u16 length, device id · for each message: 16 id, u16 sender, u8 length, digest
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { StoreError } from '../port.ts';
import { AcceptedIndex } from './accepted-index.ts';
import type { Db } from './environment.ts';
import { u48 } from './keys.ts';
import type { Participant } from './writer.ts';

const ID_BYTES = 16;
const MOST_DIGEST_BYTES = 32;
/** As many senders as a u16 counts; a commit with more messages writes several records. */
const MESSAGES_PER_RECORD = 4_096;
/** What one transaction forgets. */
const FORGET_AT_ONCE = 500;
const RECORDS_AT_ONCE = 256;

interface Accepted {
  readonly sender: DeviceId;
  readonly id: Uint8Array;
  readonly digest: Uint8Array;
  readonly at: number;
  readonly fingerprint: number;
}

export class AcceptedLog implements Participant {
  readonly #db: Db;
  readonly #index: AcceptedIndex;
  /** Of this transaction, by id and sender. */
  readonly #fresh = new Map<string, Accepted>();
  /** Newest record that the index knows. */
  #known = 0;
  /** Newest record that this transaction wrote. */
  #written = 0;
  #isCurrent = false;

  constructor(db: Db, seed: Uint8Array) {
    this.#db = db;
    this.#index = new AcceptedIndex(seed);
  }

  /** Indexes all there is, giving way to others now and then. */
  async load(): Promise<void> {
    while (this.#learn(RECORDS_AT_ONCE)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** What is remembered of this id: its digest. Inside a write transaction only. */
  find(sender: DeviceId, id: Uint8Array): Uint8Array | undefined {
    this.#catchUp();
    const fresh = this.#fresh.get(nameOf(sender, id));
    if (fresh) return fresh.digest;
    for (const number of this.#index.records(this.#index.fingerprint(id))) {
      const record = this.#db.getBinary(u48(number));
      const digest = record && findIn(record, sender, id);
      if (digest) return digest;
    }
    return undefined;
  }

  add(sender: DeviceId, id: Uint8Array, digest: Uint8Array, at: number): void {
    const fingerprint = this.#index.fingerprint(id);
    this.#fresh.set(nameOf(sender, id), { sender, id, digest, at, fingerprint });
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

  write(): void {
    this.#written = this.#known;
    const fresh = [...this.#fresh.values()];
    for (let from = 0; from < fresh.length; from += MESSAGES_PER_RECORD)
      this.#db.putSync(u48(++this.#written), encode(fresh.slice(from, from + MESSAGES_PER_RECORD)));
  }

  done(committed: boolean): void {
    if (committed) {
      let number = this.#known;
      let left = 0;
      for (const { fingerprint } of this.#fresh.values()) {
        if (left-- === 0) {
          number++;
          left = MESSAGES_PER_RECORD - 1;
        }
        this.#index.add(fingerprint, number);
      }
      this.#known = this.#written;
    }
    this.#fresh.clear();
    this.#isCurrent = false;
  }

  /** Once in each transaction: other processes may have accepted messages since the last one. */
  #catchUp(): void {
    if (this.#isCurrent) return;
    this.#isCurrent = true;
    while (this.#learn(RECORDS_AT_ONCE));
    for (const first of this.#db.getKeys({ start: u48(0), limit: 1 })) this.#index.forgetBelow(first.readUIntBE(0, 6));
  }

  /** Indexes up to `limit` records that are not known yet; true when there may be more. */
  #learn(limit: number): boolean {
    let count = 0;
    for (const { key, value } of this.#db.getRange({ start: u48(this.#known + 1), limit })) {
      this.#known = key.readUIntBE(0, 6);
      for (const offset of messagesOf(value)) this.#index.add(this.#index.fingerprint(value, offset), this.#known);
      count++;
    }
    return count === limit;
  }
}

function nameOf(sender: DeviceId, id: Uint8Array): string {
  return `${Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')}${sender}`;
}

function encode(messages: readonly Accepted[]): Buffer {
  const senders = new Map<DeviceId, number>();
  let youngest = Number.NEGATIVE_INFINITY;
  let length = 10;
  for (const { sender, at, digest } of messages) {
    youngest = Math.max(youngest, at);
    length += ID_BYTES + 3 + digest.length;
    if (senders.has(sender)) continue;
    senders.set(sender, senders.size);
    length += 2 + Buffer.byteLength(sender);
  }
  const record = Buffer.allocUnsafe(length);
  let at = record.writeDoubleLE(youngest);
  at = record.writeUInt16LE(senders.size, at);
  for (const sender of senders.keys()) {
    const bytes = record.write(sender, at + 2);
    record.writeUInt16LE(bytes, at);
    at += 2 + bytes;
  }
  for (const { sender, id, digest } of messages) {
    record.set(id, at);
    record.writeUInt16LE(senders.get(sender) as number, at + ID_BYTES);
    record.writeUInt8(digest.length, at + ID_BYTES + 2);
    record.set(digest, at + ID_BYTES + 3);
    at += ID_BYTES + 3 + digest.length;
  }
  return record;
}

/** Where each message of a record begins. */
function* messagesOf(record: Buffer): Generator<number> {
  let at = 10;
  for (let senders = record.readUInt16LE(8); senders > 0; senders--) at += 2 + record.readUInt16LE(at);
  for (; at < record.length; at += ID_BYTES + 3 + record.readUInt8(at + ID_BYTES + 2)) yield at;
}

function findIn(record: Buffer, sender: DeviceId, id: Uint8Array): Uint8Array | undefined {
  for (const at of messagesOf(record)) {
    if (Buffer.compare(record.subarray(at, at + ID_BYTES), id) !== 0) continue;
    if (senderOf(record, record.readUInt16LE(at + ID_BYTES)) !== sender) continue;
    const length = record.readUInt8(at + ID_BYTES + 2);
    if (length > MOST_DIGEST_BYTES) throw new StoreError('corrupt', 'a record of message ids is damaged');
    return record.subarray(at + ID_BYTES + 3, at + ID_BYTES + 3 + length);
  }
  return undefined;
}

function senderOf(record: Buffer, index: number): string {
  let at = 10;
  for (let i = 0; i < index; i++) at += 2 + record.readUInt16LE(at);
  return record.toString('utf8', at + 2, at + 2 + record.readUInt16LE(at));
}

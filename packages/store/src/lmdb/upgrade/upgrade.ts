/**
 * A folder of an older schema becomes one of today's: once, by the first process that opens it, in one transaction.
 *
 * Schema 1 had no journal, and heads without the number up to which they contain it. Schema 2 had the journal in LMDB, of 16 MiB at most:
 * what it says beyond the heads is settled in the mailboxes, and it goes. Message ids were written down at once in both.
 *
 * Journal of schema 2, little-endian but for the key:
 * key:          u48 number, by which heads contain it too; message ids had numbers of their own
 * appended:     u8 1 · for each message: u32 bytes of this entry, u8 1 if it was taken, f64 when (ms), u16 recipients, u32 where their table
 *               begins in the record, 16 id, u8 length of the digest, digest · the pieces, each once · the table: for each recipient u16
 *               length of the device id, device id, u16 ranges, for each u32 begin and end in the record
 * acknowledged: u8 2 · for each mailbox: f64 all up to this, u16 length of the device id, device id
 */
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import { type Databases, type Db, type Environment, SCHEMA, SCHEMA_1, SCHEMA_KEY } from '../environment.ts';
import { makeRing } from '../log/commit-log.ts';
import { firstRow, type JournalEntry, partOfBatch } from '../log/log-record.ts';
import { withoutJournal } from '../mailboxes/head.ts';
import { Mailbox } from '../mailboxes/mailbox.ts';
import { prefixedKey } from '../records/keys.ts';

const APPENDED = 1;
const TAKEN_AT = 4;
const TIME_AT = 5;
const RECIPIENTS_AT = 13;
const TABLE_AT = 15;
const RANGE_BYTES = 8;

/** Makes today's entry of an older one; when its mailbox is opened, so that no more than one mailbox is in memory twice. */
type Translate = () => JournalEntry;
type Visit = (device: DeviceId, entry: Translate) => void;

/** `journalBytes`: how long the ring is that takes the journal's place. */
export function upgrade({ root, databases }: Environment, journalBytes: number): void {
  const schema = () => root.getBinary(SCHEMA_KEY)?.toString();
  if (schema() === SCHEMA) return;
  root.transactionSync(() => {
    const found = schema();
    if (found === SCHEMA) return;
    if (found === SCHEMA_1) lengthenHeads(databases);
    // The flights to come go on from both, because heads and message ids are looked up by their numbers.
    const newest = Math.max(newestOf(databases.journal), newestOf(databases.accepted));
    settleJournal(databases, newest);
    makeRing(databases.journal, journalBytes, newest);
    root.putSync(SCHEMA_KEY, Buffer.from(SCHEMA));
  });
}

function lengthenHeads({ devices, mailboxes }: Databases): void {
  for (const device of [...devices.getKeys()]) {
    const key = prefixedKey(device.toString('utf8') as DeviceId);
    const head = mailboxes.getBinary(key);
    if (head) mailboxes.putSync(key, withoutJournal(head));
  }
}

/** Afterwards the heads contain everything up to `newest`. */
function settleJournal({ journal, mailboxes }: Databases, newest: number): void {
  const entries = new Map<DeviceId, Translate[]>();
  const gather: Visit = (device, entry) => {
    const those = entries.get(device);
    if (those) those.push(entry);
    else entries.set(device, [entry]);
  };
  for (const key of [...journal.getKeys()]) {
    readRecord(journal.getBinary(key) as Buffer, numberOf(key), gather);
    journal.removeSync(key);
  }
  for (const [device, those] of entries) {
    // Opening it repeats what the head does not contain.
    const mailbox = Mailbox.open(mailboxes, { entriesOf: () => those.map((translate) => translate()) }, device);
    mailbox?.settle(newest);
    mailbox?.write(newest);
  }
}

function newestOf(db: Db): number {
  for (const key of db.getKeys({ reverse: true, limit: 1 })) return numberOf(key);
  return 0;
}

function numberOf(key: Buffer): number {
  return key.readUIntBE(0, 6);
}

function readRecord(record: Buffer, number: number, visit: Visit): void {
  if (record[0] === APPENDED) readAppended(record, number, visit);
  else readAcknowledged(record, number, visit);
}

function readAppended(record: Buffer, number: number, visit: Visit): void {
  for (let entry = 1; entry < record.length; entry += record.readUInt32LE(entry)) {
    if (record[entry + TAKEN_AT] !== 1) continue;
    const time = record.readDoubleLE(entry + TIME_AT);
    let at = record.readUInt32LE(entry + TABLE_AT);
    for (let left = record.readUInt16LE(entry + RECIPIENTS_AT); left > 0; left--) {
      const device = readDevice(record, at);
      at += 2 + record.readUInt16LE(at);
      const end = at + 2 + record.readUInt16LE(at) * RANGE_BYTES;
      const pieces: Buffer[] = [];
      for (at += 2; at < end; at += RANGE_BYTES)
        pieces.push(record.subarray(record.readUInt32LE(at), record.readUInt32LE(at + 4)));
      visit(device, () => messageEntry(number, device, time, pieces));
    }
  }
}

function readAcknowledged(record: Buffer, number: number, visit: Visit): void {
  for (let at = 1; at < record.length; at += 10 + record.readUInt16LE(at + 8)) {
    const upTo = record.readDoubleLE(at);
    visit(readDevice(record, at + 8), () => ({ number, upTo }));
  }
}

function readDevice(record: Buffer, at: number): DeviceId {
  return record.toString('utf8', at + 2, at + 2 + record.readUInt16LE(at)) as DeviceId;
}

/** A mailbox takes neither sender nor id nor digest over. */
function messageEntry(number: number, device: DeviceId, at: number, pieces: readonly Buffer[]): JournalEntry {
  const id = new Uint8Array(16) as MessageId;
  const mail = { sender: device, id, digest: new Uint8Array(0), at, recipients: [{ device, pieces }] };
  const { part, entries } = partOfBatch([mail], Buffer.allocUnsafeSlow);
  return { number, part, row: firstRow(part, entries[0] as number) };
}

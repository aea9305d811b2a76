/**
 * Records of the journal (docs/adr/0012-a-journal-before-the-mailboxes.md): what one call appended, or acknowledged. Numbers are
 * little-endian.
 *
 * appended:     u8 1 · for each message: u32 bytes of this entry, u8 1 if it was taken, f64 when (ms), u16 recipients, u32 where their table
 *               begins in the record, 16 id, u8 length of the digest, digest · the pieces, each once · the table: for each recipient u16
 *               length of the device id, device id, u16 ranges, for each u32 begin and end in the record
 * acknowledged: u8 2 · for each mailbox: f64 all up to this, u16 length of the device id, device id
 *
 * A batch is copied into its record at once, when it is handed over (the caller may write into its arrays afterwards), and stays there
 * until it is settled: nothing is copied again in between. One allocation, plain loops and few objects, because this runs for every message
 * of the relay.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Mail } from '../port.ts';
import type { Sent } from './accepted-log.ts';
import type { MailCopy } from './segment.ts';

const APPENDED = 1;
const ACKNOWLEDGED = 2;
const TAKEN_AT = 4;
const TIME_AT = 5;
const RECIPIENTS_AT = 13;
const TABLE_AT = 15;
const ID_AT = 19;
const HEAD_BYTES = ID_AT + 16 + 1;
const RANGE_BYTES = 8;
const ACK_HEAD_BYTES = 10;

type Recipients = Mail['recipients'];

/** A message in a record. */
export interface Appended extends Sent {
  /** Where its entry begins. */
  readonly entryAt: number;
  /** One for each recipient. */
  readonly copies: readonly MailCopy[];
}

/** What a record says of one mailbox. */
export type JournalEntry =
  | { readonly number: number; readonly mail: MailCopy }
  | { readonly number: number; readonly mail?: undefined; readonly upTo: number };

type Visit = (device: DeviceId, entry: JournalEntry) => void;

/** Copies the batch into a record, made by `allocate`. No message of it counts as taken until `markTaken`. */
export function recordOfBatch(
  batch: readonly Mail[],
  allocate: (length: number) => Buffer,
): { record: Buffer; appended: Appended[] } {
  let size = 1;
  for (const mail of batch) size += mostBytesOf(mail);
  const record = allocate(size);
  record[0] = APPENDED;
  const appended: Appended[] = [];
  let end = 1;
  for (const { sender, id, digest, at, recipients } of batch) {
    const entryAt = end;
    const digestAt = entryAt + HEAD_BYTES;
    const digestEnd = digestAt + digest.length;
    record[entryAt + TAKEN_AT] = 0;
    record.writeDoubleLE(at, entryAt + TIME_AT);
    record.writeUInt16LE(recipients.length, entryAt + RECIPIENTS_AT);
    copyShort(id, record, entryAt + ID_AT);
    record[digestAt - 1] = digest.length;
    copyShort(digest, record, digestAt);
    end = digestEnd;
    const copies: MailCopy[] = [];
    for (let i = 0; i < recipients.length; i++) {
      const { device, pieces } = recipients[i] as Recipients[number];
      const begin = end;
      for (let place = 0; place < pieces.length; place++) {
        const piece = pieces[place] as Uint8Array;
        if (i > 0 && isShared(recipients, piece, place)) continue;
        record.set(piece, end);
        end += piece.length;
      }
      if (i === 0) copies.push({ device, at, size: end - begin, record, begin, end, more: undefined });
      else copies.push(copyOf(recipients, i, at, record, digestEnd, begin));
    }
    record.writeUInt32LE(end, entryAt + TABLE_AT);
    for (const copy of copies) end = writeCopy(record, end, copy);
    record.writeUInt32LE(end - entryAt, entryAt);
    appended.push({ sender, at, arena: record, idAt: entryAt + ID_AT, digestAt, digestEnd, entryAt, copies });
  }
  return { record: record.subarray(0, end), appended };
}

export function markTaken({ arena, entryAt }: Appended): void {
  arena[entryAt + TAKEN_AT] = 1;
}

/** All up to a number, each of another mailbox. */
export function recordOfAcknowledgements(all: readonly { readonly device: DeviceId; readonly upTo: number }[]): Buffer {
  let size = 1;
  for (const { device } of all) size += ACK_HEAD_BYTES + bytesOf(device).length;
  const record = Buffer.allocUnsafe(size);
  record[0] = ACKNOWLEDGED;
  let at = 1;
  for (const { device, upTo } of all) at = writeDevice(record, record.writeDoubleLE(upTo, at), device);
  return record;
}

/** Hands out what the record says, in order. The mails are views of `record`. */
export function readRecord(record: Buffer, number: number, visit: Visit): void {
  if (record[0] === APPENDED) readAppended(record, number, visit);
  else readAcknowledged(record, number, visit);
}

function readAppended(record: Buffer, number: number, visit: Visit): void {
  for (let entryAt = 1; entryAt < record.length; entryAt += record.readUInt32LE(entryAt)) {
    if (record[entryAt + TAKEN_AT] !== 1) continue;
    const time = record.readDoubleLE(entryAt + TIME_AT);
    let at = record.readUInt32LE(entryAt + TABLE_AT);
    for (let left = record.readUInt16LE(entryAt + RECIPIENTS_AT); left > 0; left--) {
      const device = readDevice(record, at);
      at += 2 + record.readUInt16LE(at);
      const end = at + 2 + record.readUInt16LE(at) * RANGE_BYTES;
      const ranges: number[] = [];
      let size = 0;
      for (at += 2; at < end; at += RANGE_BYTES) {
        const from = record.readUInt32LE(at);
        const to = record.readUInt32LE(at + 4);
        ranges.push(from, to);
        size += to - from;
      }
      visit(device, { number, mail: copyFrom(device, time, size, record, ranges) });
    }
  }
}

function readAcknowledged(record: Buffer, number: number, visit: Visit): void {
  for (let at = 1; at < record.length; ) {
    const upTo = record.readDoubleLE(at);
    visit(readDevice(record, at + 8), { number, upTo });
    at += ACK_HEAD_BYTES + record.readUInt16LE(at + 8);
  }
}

function writeCopy(record: Buffer, start: number, { device, begin, end, more }: MailCopy): number {
  let at = writeDevice(record, start, device);
  at = record.writeUInt16LE(more ? 1 + (more.length >> 1) : 1, at);
  at = record.writeUInt32LE(begin, at);
  at = record.writeUInt32LE(end, at);
  if (more) for (const position of more) at = record.writeUInt32LE(position, at);
  return at;
}

/** Bytes of the ids that were written lately: to encode them anew for each message costs more than all else in its entry. */
const encodedIds = new Map<DeviceId, Buffer>();
const MOST_ENCODED_IDS = 4_096;

function bytesOf(device: DeviceId): Buffer {
  let bytes = encodedIds.get(device);
  if (bytes) return bytes;
  if (encodedIds.size >= MOST_ENCODED_IDS) encodedIds.clear();
  bytes = Buffer.from(device, 'utf8');
  encodedIds.set(device, bytes);
  return bytes;
}

function writeDevice(record: Buffer, at: number, device: DeviceId): number {
  const bytes = bytesOf(device);
  record.set(bytes, at + 2);
  return record.writeUInt16LE(bytes.length, at) + bytes.length;
}

function readDevice(record: Buffer, at: number): DeviceId {
  return record.toString('utf8', at + 2, at + 2 + record.readUInt16LE(at)) as DeviceId;
}

/** Of a later recipient: some of its pieces are among the first one's, which begin at `firstAt`, the others follow from `ownAt` on. */
function copyOf(
  recipients: Recipients,
  index: number,
  at: number,
  record: Buffer,
  firstAt: number,
  ownAt: number,
): MailCopy {
  const { device, pieces } = recipients[index] as Recipients[number];
  const ranges: number[] = [];
  let size = 0;
  let sharedAt = firstAt;
  let freeAt = ownAt;
  for (let place = 0; place < pieces.length; place++) {
    const piece = pieces[place] as Uint8Array;
    let begin = sharedAt;
    if (!isShared(recipients, piece, place)) {
      begin = freeAt;
      freeAt += piece.length;
    }
    if (ranges[ranges.length - 1] === begin) ranges[ranges.length - 1] = begin + piece.length;
    else ranges.push(begin, begin + piece.length);
    size += piece.length;
    sharedAt += recipients[0]?.pieces[place]?.length ?? 0;
  }
  return copyFrom(device, at, size, record, ranges);
}

function copyFrom(device: DeviceId, at: number, size: number, record: Buffer, ranges: readonly number[]): MailCopy {
  const [begin = 0, end = 0, ...more] = ranges;
  return { device, at, size, record, begin, end, more: more.length > 0 ? more : undefined };
}

function mostBytesOf({ digest, recipients }: Mail): number {
  let size = HEAD_BYTES + digest.length;
  for (let i = 0; i < recipients.length; i++) {
    const { device, pieces } = recipients[i] as Recipients[number];
    size += 4 + bytesOf(device).length + Math.max(pieces.length, 1) * RANGE_BYTES;
    for (let place = 0; place < pieces.length; place++) {
      const piece = pieces[place] as Uint8Array;
      if (i === 0 || !isShared(recipients, piece, place)) size += piece.length;
    }
  }
  return size;
}

/** Whether the first recipient gets the very same piece at this place: the body of a message is copied once, whoever gets it. */
function isShared(recipients: Recipients, piece: Uint8Array, place: number): boolean {
  return recipients[0]?.pieces[place] === piece;
}

/** A call into native code costs more than a few bytes. */
function copyShort(from: Uint8Array, to: Buffer, at: number): void {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i] as number;
}

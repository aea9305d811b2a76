/**
 * Parts of the journal (docs/adr/0012-a-journal-before-the-mailboxes.md): what one call appended, or acknowledged. Numbers are
 * little-endian.
 *
 * appended:     u32 bytes of the part, u8 1 · for each message an entry: u32 bytes of it, u8 1 if it was taken, f64 when (ms), u16
 *               recipients, u32 where their rows begin in the part, u16 length of the sender, u8 length of the digest, 16 id, digest,
 *               sender · the pieces, each once · for each recipient a row: u32 where the entry begins in the part, u32 bytes of the
 *               message, u16 length of the device id, u16 ranges, for each u32 begin and end in the part · device id
 * acknowledged: u32 bytes of the part, u8 2 · for each mailbox: f64 all up to this, u16 length of the device id, device id
 *
 * A batch is copied into its part at once, when it is handed over (the caller may write into its arrays afterwards), and stays there
 * until it is settled: nothing is copied again in between. A message is known by its part and the offset of its entry, or of a row: one
 * allocation, plain loops and no object, because this runs for every message of the relay.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Mail } from '../../port.ts';

const APPENDED = 1;
const ACKNOWLEDGED = 2;
const KIND_AT = 4;
const FIRST_AT = 5;
const TAKEN_AT = 4;
const TIME_AT = 5;
const RECIPIENTS_AT = 13;
const ROWS_AT = 15;
const SENDER_LENGTH_AT = 19;
const DIGEST_LENGTH_AT = 21;
const ID_AT = 22;
const ID_BYTES = 16;
const DIGEST_AT = ID_AT + ID_BYTES;
const ROW_BYTES = 12;
const RANGE_BYTES = 8;
const ACK_HEAD_BYTES = 10;

type Recipients = Mail['recipients'];

/** What a flight says of one mailbox: a message, in a row of a part, or that all up to a number is acknowledged. */
export type JournalEntry =
  | { readonly number: number; readonly part: Buffer; readonly row: number }
  | { readonly number: number; readonly part?: undefined; readonly upTo: number };

/** Copies the batch into a part, made by `allocate`; where the entry of each message begins. No message counts as taken until `markTaken`. */
export function partOfBatch(
  batch: readonly Mail[],
  allocate: (length: number) => Buffer,
): { part: Buffer; entries: number[] } {
  let size = FIRST_AT;
  for (let i = 0; i < batch.length; i++) size += mostBytesOf(batch[i] as Mail);
  const part = allocate(size);
  part[KIND_AT] = APPENDED;
  const entries: number[] = [];
  let end = FIRST_AT;
  for (let i = 0; i < batch.length; i++) {
    entries.push(end);
    end = writeEntry(part, end, batch[i] as Mail);
  }
  part.writeUInt32LE(end, 0);
  return { part: part.subarray(0, end), entries };
}

/** All up to a number, each of another mailbox. */
export function partOfAcknowledgements(all: readonly { readonly device: DeviceId; readonly upTo: number }[]): Buffer {
  let size = FIRST_AT;
  for (const { device } of all) size += ACK_HEAD_BYTES + bytesOf(device).length;
  const part = Buffer.allocUnsafe(size);
  part.writeUInt32LE(size, 0);
  part[KIND_AT] = ACKNOWLEDGED;
  let at = FIRST_AT;
  for (const { device, upTo } of all) {
    const bytes = bytesOf(device);
    at = part.writeDoubleLE(upTo, at);
    at = part.writeUInt16LE(bytes.length, at);
    part.set(bytes, at);
    at += bytes.length;
  }
  return part;
}

/** The parts of a payload; views of it. */
export function partsOf(payload: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const end = at + payload.readUInt32LE(at);
    parts.push(payload.subarray(at, end));
    at = end;
  }
  return parts;
}

/** Hands out what the part says, in order. The entries point into `part`. */
export function readPart(part: Buffer, number: number, visit: (device: DeviceId, entry: JournalEntry) => void): void {
  if (part[KIND_AT] === APPENDED) {
    for (const entry of takenEntriesOf(part)) {
      let row = firstRow(part, entry);
      for (let left = recipientsOf(part, entry); left > 0; left--) {
        visit(deviceOf(part, row), { number, part, row });
        row = nextRow(part, row);
      }
    }
    return;
  }
  for (let at = FIRST_AT; at < part.length; ) {
    const upTo = part.readDoubleLE(at);
    const end = at + ACK_HEAD_BYTES + part.readUInt16LE(at + 8);
    visit(part.toString('utf8', at + ACK_HEAD_BYTES, end) as DeviceId, { number, upTo });
    at = end;
  }
}

/** The entries of messages that were taken; none in a part of acknowledgements. */
export function takenEntriesOf(part: Buffer): number[] {
  const entries: number[] = [];
  if (part[KIND_AT] !== APPENDED) return entries;
  for (let entry = FIRST_AT; entry < part.length; entry += part.readUInt32LE(entry))
    if (part[entry + TAKEN_AT] === 1) entries.push(entry);
  return entries;
}

export function markTaken(part: Buffer, entry: number, isTaken: boolean): void {
  part[entry + TAKEN_AT] = isTaken ? 1 : 0;
}

export function recipientsOf(part: Buffer, entry: number): number {
  return part.readUInt16LE(entry + RECIPIENTS_AT);
}

/** Where the id of a message begins; it has 16 bytes. */
export function idAt(entry: number): number {
  return entry + ID_AT;
}

export function digestAt(entry: number): number {
  return entry + DIGEST_AT;
}

export function digestEnd(part: Buffer, entry: number): number {
  return entry + DIGEST_AT + (part[entry + DIGEST_LENGTH_AT] as number);
}

export function senderOf(part: Buffer, entry: number): DeviceId {
  const at = digestEnd(part, entry);
  return part.toString('utf8', at, at + part.readUInt16LE(entry + SENDER_LENGTH_AT)) as DeviceId;
}

/** When a message was taken, ms. */
export function timeOf(part: Buffer, entry: number): number {
  return part.readDoubleLE(entry + TIME_AT);
}

export function firstRow(part: Buffer, entry: number): number {
  return part.readUInt32LE(entry + ROWS_AT);
}

export function nextRow(part: Buffer, row: number): number {
  return row + ROW_BYTES + part.readUInt16LE(row + 10) * RANGE_BYTES + part.readUInt16LE(row + 8);
}

export function entryOf(part: Buffer, row: number): number {
  return part.readUInt32LE(row);
}

/** Bytes of a message as the recipient of this row gets it. */
export function sizeOf(part: Buffer, row: number): number {
  return part.readUInt32LE(row + 4);
}

/** Copies the message of this row to `at` of `target`; where it ends there. */
export function copyMessage(part: Buffer, row: number, target: Uint8Array, at: number): number {
  let next = at;
  for (let left = part.readUInt16LE(row + 10), range = row + ROW_BYTES; left > 0; left--, range += RANGE_BYTES) {
    const bytes = part.subarray(part.readUInt32LE(range), part.readUInt32LE(range + 4));
    target.set(bytes, next);
    next += bytes.length;
  }
  return next;
}

function deviceOf(part: Buffer, row: number): DeviceId {
  const at = row + ROW_BYTES + part.readUInt16LE(row + 10) * RANGE_BYTES;
  return part.toString('utf8', at, at + part.readUInt16LE(row + 8)) as DeviceId;
}

function writeEntry(part: Buffer, entry: number, { sender, id, digest, at, recipients }: Mail): number {
  markTaken(part, entry, false);
  part.writeDoubleLE(at, entry + TIME_AT);
  part.writeUInt16LE(recipients.length, entry + RECIPIENTS_AT);
  copyShort(id, part, entry + ID_AT);
  part[entry + DIGEST_LENGTH_AT] = digest.length;
  copyShort(digest, part, entry + DIGEST_AT);
  const from = bytesOf(sender);
  part.writeUInt16LE(from.length, entry + SENDER_LENGTH_AT);
  let end = entry + DIGEST_AT + digest.length;
  part.set(from, end);
  end += from.length;
  const bodiesAt = end;
  for (let i = 0; i < recipients.length; i++) {
    const { pieces } = recipients[i] as Recipients[number];
    for (let place = 0; place < pieces.length; place++) {
      const piece = pieces[place] as Uint8Array;
      if (i > 0 && isShared(recipients, piece, place)) continue;
      part.set(piece, end);
      end += piece.length;
    }
  }
  part.writeUInt32LE(end, entry + ROWS_AT);
  end = writeRows(part, end, entry, bodiesAt, recipients);
  part.writeUInt32LE(end - entry, entry);
  return end;
}

/** Pieces are where `writeEntry` put them: all of the first recipient, then what others have for themselves. */
function writeRows(part: Buffer, start: number, entry: number, bodiesAt: number, recipients: Recipients): number {
  let row = start;
  let ownAt = bodiesAt;
  for (let i = 0; i < recipients.length; i++) {
    const { device, pieces } = recipients[i] as Recipients[number];
    let sharedAt = bodiesAt;
    let size = 0;
    let ranges = 0;
    let before = -1;
    let at = row + ROW_BYTES;
    for (let place = 0; place < pieces.length; place++) {
      const piece = pieces[place] as Uint8Array;
      let begin = sharedAt;
      if (i === 0 || !isShared(recipients, piece, place)) {
        begin = ownAt;
        ownAt += piece.length;
      }
      if (begin !== before) {
        part.writeUInt32LE(begin, at);
        at += RANGE_BYTES;
        ranges++;
      }
      before = begin + piece.length;
      part.writeUInt32LE(before, at - 4);
      size += piece.length;
      sharedAt += recipients[0]?.pieces[place]?.length ?? 0;
    }
    const bytes = bytesOf(device);
    part.writeUInt32LE(entry, row);
    part.writeUInt32LE(size, row + 4);
    part.writeUInt16LE(bytes.length, row + 8);
    part.writeUInt16LE(ranges, row + 10);
    part.set(bytes, at);
    row = at + bytes.length;
  }
  return row;
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

function mostBytesOf({ sender, digest, recipients }: Mail): number {
  let size = DIGEST_AT + digest.length + bytesOf(sender).length;
  for (let i = 0; i < recipients.length; i++) {
    const { device, pieces } = recipients[i] as Recipients[number];
    size += ROW_BYTES + pieces.length * RANGE_BYTES + bytesOf(device).length;
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

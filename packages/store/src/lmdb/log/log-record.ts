/**
 * The parts of a commit record: what one call did to mailboxes, as bytes. Numbers are
 * little-endian.
 *
 * appended: u32 bytes of the part, u8 1 · for each message an entry: u32 bytes of it, u8 0 if it
 *           was not taken, 1 if it was, 2 if some mailboxes refused it, f64 when (ms), u16
 *           recipients, u32 where their rows begin in the part, u16 length of the sender, u8 length
 *           of the digest, u32 bytes that are shared, 16 id · digest · sender · the shared bytes ·
 *           for each recipient a row: u32 where the entry begins in the part, u48 sequence number
 *           (0: refused), u32 bytes of its own, u16 length of the device id, device id, own
 * changed:  u32 bytes of the part, u8 2 · for each mailbox: u8 change, u16 length of the device id,
 *           device id · 1 acknowledged: f64 all up to this · 2 claimed: f64 session · 3 expired, 4
 *           trimmed, 5 damaged: u32 messages, for each u48 sequence number, u32 bytes · 6 resumed:
 *           f64 all numbers up to this may have been given out
 *
 * A batch is copied into its part at once, when it is handed over (the caller may write into its
 * arrays afterwards), and stays there until the checkpoint: nothing is copied again in between. A
 * message is known by its part and the offset of its entry, or of a row: one allocation, plain
 * loops and no object, because this runs for every message of the relay.
 */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { GapRecord, Mail } from '../../port.ts';

const APPENDED = 1;
const CHANGED = 2;
const KIND_AT = 4;
const FIRST_AT = 5;
const TAKEN_AT = 4;
const TIME_AT = 5;
const RECIPIENTS_AT = 13;
const ROWS_AT = 15;
const SENDER_LENGTH_AT = 19;
const DIGEST_LENGTH_AT = 21;
const SHARED_LENGTH_AT = 22;
const ID_AT = 26;
const ID_BYTES = 16;
const DIGEST_AT = ID_AT + ID_BYTES;
const SEQ_AT = 4;
const OWN_LENGTH_AT = 10;
const DEVICE_LENGTH_AT = 14;
const ROW_BYTES = 16;
const LOST_BYTES = 10;

const CHANGES = ['', 'acknowledged', 'claimed', 'expired', 'trimmed', 'damaged', 'resumed'] as const;

export interface LostMail {
  readonly seq: number;
  /** Bytes. */
  readonly size: number;
}

/** What happens to a mailbox but for a message that comes. */
export type MailboxChange =
  | { readonly what: 'acknowledged'; readonly upTo: number }
  | { readonly what: 'claimed'; readonly session: number }
  /** Its head was damaged, and its newest number not known: it goes on behind this one. */
  | { readonly what: 'resumed'; readonly upTo: number }
  | { readonly what: GapRecord['reason']; readonly lost: readonly LostMail[] };

/** What a commit record says of one mailbox: a message, in a row of a part, or a change. */
export type LogEntry =
  | { readonly lsn: number; readonly part: Buffer; readonly row: number }
  | { readonly lsn: number; readonly part?: undefined; readonly change: MailboxChange | MissingRecords };

/** In the place of records that cannot be read, which may have spoken of any mailbox; never written. */
export interface MissingRecords {
  readonly what: 'missing';
}

/**
 * Copies the batch into a part, made by `allocate`; where the entry of each message begins. No
 * message counts as taken until `markTaken`.
 */
export function partOfBatch(
  batch: readonly Mail[],
  allocate: (length: number) => Buffer,
): { part: Buffer; entries: number[] } {
  let size = FIRST_AT;
  for (let i = 0; i < batch.length; i++) size += bytesOfEntry(batch[i] as Mail);
  const part = allocate(size);
  part.writeUInt32LE(size, 0);
  part[KIND_AT] = APPENDED;
  const entries: number[] = [];
  let end = FIRST_AT;
  for (let i = 0; i < batch.length; i++) {
    entries.push(end);
    end = writeEntry(part, end, batch[i] as Mail);
  }
  return { part, entries };
}

export function partOfChanges(all: readonly { readonly device: DeviceId; readonly change: MailboxChange }[]): Buffer {
  let size = FIRST_AT;
  for (const { device, change } of all)
    size += 3 + encoded(device).length + ('lost' in change ? 4 + change.lost.length * LOST_BYTES : 8);
  const part = Buffer.allocUnsafe(size);
  part.writeUInt32LE(size, 0);
  part[KIND_AT] = CHANGED;
  let at = FIRST_AT;
  for (const { device, change } of all) {
    const name = encoded(device);
    at = part.writeUInt8(CHANGES.indexOf(change.what), at);
    at = part.writeUInt16LE(name.length, at);
    part.set(name, at);
    at += name.length;
    if ('lost' in change) {
      at = part.writeUInt32LE(change.lost.length, at);
      for (const { seq, size: bytes } of change.lost) {
        at = part.writeUIntLE(seq, at, 6);
        at = part.writeUInt32LE(bytes, at);
      }
    } else at = part.writeDoubleLE(change.what === 'claimed' ? change.session : change.upTo, at);
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

/** Hands out what the part says, in order. The entries of messages point into `part`. */
export function readPart(part: Buffer, lsn: number, visit: (device: DeviceId, entry: LogEntry) => void): void {
  if (part[KIND_AT] === CHANGED) {
    for (let at = FIRST_AT; at < part.length; ) at = readChange(part, at, lsn, visit);
    return;
  }
  for (const entry of takenEntriesOf(part)) {
    let row = firstRow(part, entry);
    for (let left = recipientsOf(part, entry); left > 0; left--) {
      if (seqOf(part, row) > 0) visit(deviceOf(part, row), { lsn, part, row });
      row = nextRow(part, row);
    }
  }
}

/** The entries of messages that were taken; none in a part of changes. */
export function takenEntriesOf(part: Buffer): number[] {
  const entries: number[] = [];
  if (part[KIND_AT] !== APPENDED) return entries;
  for (let entry = FIRST_AT; entry < part.length; entry += part.readUInt32LE(entry))
    if (part[entry + TAKEN_AT] !== 0) entries.push(entry);
  return entries;
}

/** `byAll`: no mailbox refused it. */
export function markTaken(part: Buffer, entry: number, byAll: boolean): void {
  part[entry + TAKEN_AT] = byAll ? 1 : 2;
}

export function markNotTaken(part: Buffer, entry: number): void {
  part[entry + TAKEN_AT] = 0;
}

/** Whose mailboxes refused a message that was taken. */
export function refusedBy(part: Buffer, entry: number): DeviceId[] {
  if (part[entry + TAKEN_AT] === 1) return [];
  const refused = new Set<DeviceId>();
  let row = firstRow(part, entry);
  for (let left = recipientsOf(part, entry); left > 0; left--) {
    if (seqOf(part, row) === 0) refused.add(deviceOf(part, row));
    row = nextRow(part, row);
  }
  return [...refused];
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
  return row + ROW_BYTES + part.readUInt16LE(row + DEVICE_LENGTH_AT) + part.readUInt32LE(row + OWN_LENGTH_AT);
}

export function entryOf(part: Buffer, row: number): number {
  return part.readUInt32LE(row);
}

/** Its sequence number in the mailbox of this row; 0: refused. */
export function seqOf(part: Buffer, row: number): number {
  return part.readUIntLE(row + SEQ_AT, 6);
}

export function setSeq(part: Buffer, row: number, seq: number): void {
  part.writeUIntLE(seq, row + SEQ_AT, 6);
}

/** Bytes of a message as the recipient of this row gets it. */
export function sizeOf(part: Buffer, row: number): number {
  return part.readUInt32LE(entryOf(part, row) + SHARED_LENGTH_AT) + part.readUInt32LE(row + OWN_LENGTH_AT);
}

/** The account that sent the message of this row. */
export function accountOfRow(part: Buffer, row: number): AccountAddress {
  return accountOf(senderOf(part, entryOf(part, row)));
}

/** Copies the message of this row to `at` of `target`; where it ends there. */
export function copyMessage(part: Buffer, row: number, target: Uint8Array, at: number): number {
  const entry = entryOf(part, row);
  const shared = part.readUInt32LE(entry + SHARED_LENGTH_AT);
  const rows = firstRow(part, entry);
  target.set(part.subarray(rows - shared, rows), at);
  const own = row + ROW_BYTES + part.readUInt16LE(row + DEVICE_LENGTH_AT);
  const end = nextRow(part, row);
  target.set(part.subarray(own, end), at + shared);
  return at + shared + end - own;
}

function deviceOf(part: Buffer, row: number): DeviceId {
  const at = row + ROW_BYTES;
  return part.toString('utf8', at, at + part.readUInt16LE(row + DEVICE_LENGTH_AT)) as DeviceId;
}

function readChange(
  part: Buffer,
  start: number,
  lsn: number,
  visit: (device: DeviceId, entry: LogEntry) => void,
): number {
  const what = CHANGES[part[start] as number];
  const end = start + 3 + part.readUInt16LE(start + 1);
  const device = part.toString('utf8', start + 3, end) as DeviceId;
  if (what !== 'expired' && what !== 'trimmed' && what !== 'damaged') {
    const number = part.readDoubleLE(end);
    const change =
      what === 'claimed'
        ? { what, session: number }
        : { what: what === 'resumed' ? what : 'acknowledged', upTo: number };
    visit(device, { lsn, change: change as MailboxChange });
    return end + 8;
  }
  const lost: LostMail[] = [];
  let at = end + 4;
  for (let left = part.readUInt32LE(end); left > 0; left--, at += LOST_BYTES)
    lost.push({ seq: part.readUIntLE(at, 6), size: part.readUInt32LE(at + 6) });
  visit(device, { lsn, change: { what, lost } });
  return at;
}

function writeEntry(part: Buffer, entry: number, { sender, id, digest, at, shared, recipients }: Mail): number {
  markNotTaken(part, entry);
  part.writeDoubleLE(at, entry + TIME_AT);
  part.writeUInt16LE(recipients.length, entry + RECIPIENTS_AT);
  copyShort(id, part, entry + ID_AT);
  part[entry + DIGEST_LENGTH_AT] = digest.length;
  copyShort(digest, part, entry + DIGEST_AT);
  const from = encoded(sender);
  part.writeUInt16LE(from.length, entry + SENDER_LENGTH_AT);
  const senderAt = entry + DIGEST_AT + digest.length;
  part.set(from, senderAt);
  const sharedAt = senderAt + from.length;
  let row = setAll(part, shared, sharedAt);
  part.writeUInt32LE(row - sharedAt, entry + SHARED_LENGTH_AT);
  part.writeUInt32LE(row, entry + ROWS_AT);
  for (let i = 0; i < recipients.length; i++) {
    const { device, own } = recipients[i] as Mail['recipients'][number];
    const name = encoded(device);
    part.writeUInt32LE(entry, row);
    part.writeUInt16LE(name.length, row + DEVICE_LENGTH_AT);
    part.set(name, row + ROW_BYTES);
    const ownAt = row + ROW_BYTES + name.length;
    const end = setAll(part, own, ownAt);
    part.writeUInt32LE(end - ownAt, row + OWN_LENGTH_AT);
    row = end;
  }
  part.writeUInt32LE(row - entry, entry);
  return row;
}

function setAll(part: Buffer, pieces: readonly Uint8Array[], at: number): number {
  let end = at;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] as Uint8Array;
    part.set(piece, end);
    end += piece.length;
  }
  return end;
}

/**
 * Bytes of the ids that were written lately: to encode them anew for each message costs more than
 * all else in its entry.
 */
const encodedIds = new Map<DeviceId, Buffer>();
const MOST_ENCODED_IDS = 4_096;

function encoded(device: DeviceId): Buffer {
  let bytes = encodedIds.get(device);
  if (bytes) return bytes;
  if (encodedIds.size >= MOST_ENCODED_IDS) encodedIds.clear();
  bytes = Buffer.from(device, 'utf8');
  encodedIds.set(device, bytes);
  return bytes;
}

function bytesOfEntry({ sender, digest, shared, recipients }: Mail): number {
  let size = DIGEST_AT + digest.length + encoded(sender).length + sumOf(shared);
  for (let i = 0; i < recipients.length; i++) {
    const { device, own } = recipients[i] as Mail['recipients'][number];
    size += ROW_BYTES + encoded(device).length + sumOf(own);
  }
  return size;
}

function sumOf(pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (let i = 0; i < pieces.length; i++) sum += (pieces[i] as Uint8Array).length;
  return sum;
}

/** A call into native code costs more than a few bytes. */
function copyShort(from: Uint8Array, to: Buffer, at: number): void {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i] as number;
}

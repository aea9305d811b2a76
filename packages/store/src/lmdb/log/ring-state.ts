/**
 * What LMDB knows of the ring of the log: put in the transactions that take records over, read when
 * the store is opened. Written twice, because without it nothing of the log can be read.
 *
 * key:   'ring', and 'ring copy'
 * value: 8 ring id · f64 (little-endian) capacity, offset where the oldest record begins, LSN and
 *        seal of the one before it, newest LSN given out, newest LSN known to be in the file, 1 if
 *        the folder is open, epoch, highest sequence number · u32 CRC-32 of all that
 */
import { crc32 } from 'node:zlib';
import { StoreError } from '../../port.ts';
import type { Db } from '../environment.ts';
import { type Place, RING_ID_BYTES, type Ring } from './ring-file.ts';

const KEYS = [Buffer.from('ring'), Buffer.from('ring copy')];
const CHECK_AT = RING_ID_BYTES + 9 * 8;
const STATE_BYTES = CHECK_AT + 4;

export interface RingState extends Ring {
  /** Where the oldest record begins that is still needed. */
  readonly start: Place;
  /** The newest LSN that was given out. */
  readonly newest: number;
  /** The file has, or had, a durable record of this LSN, or all up to it is taken over. */
  readonly logged: number;
  /** A process has the folder, or was killed. */
  readonly isOpen: boolean;
  /** How often records of the log were lost. */
  readonly epoch: number;
  /** No message in any mailbox had a higher sequence number, but for those of the log. */
  readonly highestSeq: number;
}

/** Undefined: there is none. Throws `corrupt` when both copies are damaged. */
export function findRing(db: Db): RingState | undefined {
  let isThere = false;
  for (const key of KEYS) {
    const record = db.getBinary(key);
    const state = record && decode(record);
    if (state) return state;
    isThere ||= record !== undefined;
  }
  if (!isThere) return undefined;
  throw new StoreError('corrupt', 'what the store knows of its log is damaged: restore the data folder from a backup');
}

/** Throws `corrupt` when there is none that can be read. */
export function readRing(db: Db): RingState {
  const state = findRing(db);
  if (!state) throw new StoreError('corrupt', 'the store does not know its log: restore the data folder from a backup');
  return state;
}

/** Inside a transaction. */
export function putRing(db: Db, state: RingState): void {
  const { id, capacity, start, newest, logged, isOpen, epoch, highestSeq } = state;
  const bytes = Buffer.alloc(STATE_BYTES);
  let at = id.copy(bytes);
  const { offset, previous, seal } = start;
  for (const number of [capacity, offset, previous, seal, newest, logged, isOpen ? 1 : 0, epoch, highestSeq])
    at = bytes.writeDoubleLE(number, at);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CHECK_AT)), CHECK_AT);
  for (const key of KEYS) db.putSync(key, bytes);
}

function decode(bytes: Buffer): RingState | undefined {
  if (bytes.length !== STATE_BYTES || crc32(bytes.subarray(0, CHECK_AT)) !== bytes.readUInt32LE(CHECK_AT))
    return undefined;
  const number = (index: number) => bytes.readDoubleLE(RING_ID_BYTES + index * 8);
  return {
    id: bytes.subarray(0, RING_ID_BYTES),
    capacity: number(0),
    start: { offset: number(1), previous: number(2), seal: number(3) },
    newest: number(4),
    logged: number(5),
    isOpen: number(6) === 1,
    epoch: number(7),
    highestSeq: number(8),
  };
}

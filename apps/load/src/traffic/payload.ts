/**
 * What a message of the load says, in front of its filling: 32 bytes, numbers big endian.
 *
 *   4 bytes  of the phase of a run, at random
 *   4 bytes  of the activity of one worker, at random
 *   u32      group
 *   u32      member that wrote it
 *   u32      number in its stream, from 1
 *   f64      when it should have been sent, ms since 1970 by the sender's clock that never steps
 *   4 bytes  zero
 */

export const HEADER_BYTES = 32;
export const RUN_BYTES = 4;
/** Of a phase, and then of an activity. */
export const ORIGIN_BYTES = 8;

export interface Header {
  readonly group: number;
  readonly member: number;
  readonly number: number;
  readonly intended: number;
}

export function writeHeader(into: Uint8Array, origin: Uint8Array, { group, member, number, intended }: Header): void {
  into.set(origin, 0);
  const view = new DataView(into.buffer, into.byteOffset, HEADER_BYTES);
  view.setUint32(8, group);
  view.setUint32(12, member);
  view.setUint32(16, number);
  view.setFloat64(20, intended);
  view.setUint32(28, 0);
}

/** Undefined for what is of another phase or activity, or no message of a load. */
export function readHeader(bytes: Uint8Array, origin: Uint8Array): Header | undefined {
  if (bytes.length < HEADER_BYTES || !startsWith(bytes, origin)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return {
    group: view.getUint32(8),
    member: view.getUint32(12),
    number: view.getUint32(16),
    intended: view.getFloat64(20),
  };
}

/** Whether it is of any activity of this phase. What an earlier one left unacknowledged comes again, and is none. */
export function isOfRun(bytes: Uint8Array, run: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && startsWith(bytes, run);
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, at) => bytes[at] === byte);
}

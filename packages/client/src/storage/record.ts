/**
 * Bytes of the SDK's own records: u32 big endian length of a JSON header, the header, then one byte string that JSON would only bloat.
 * Byte strings inside the header are base64url.
 */
import { corruptStorage } from '../errors.ts';

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
const LENGTH_BYTES = 4;

export function encodeRecord(header: object, blob: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = utf8.encode(JSON.stringify(header));
  const record = new Uint8Array(LENGTH_BYTES + json.length + blob.length);
  new DataView(record.buffer).setUint32(0, json.length);
  record.set(json, LENGTH_BYTES);
  record.set(blob, LENGTH_BYTES + json.length);
  return record;
}

/**
 * The header as this SDK wrote it, and the byte string (a copy). The header's fields are not checked one by one: sealed storage
 * authenticates records, and whoever can write plain ones owns the device. Throws `corrupt` for what is no record at all.
 */
export function decodeRecord<Header extends object>(record: Uint8Array): { header: Header; blob: Uint8Array } {
  try {
    const length = new DataView(record.buffer, record.byteOffset, record.byteLength).getUint32(0);
    const end = LENGTH_BYTES + length;
    if (end > record.length) throw new RangeError('cut short');
    const header = JSON.parse(strictUtf8.decode(record.subarray(LENGTH_BYTES, end))) as Header;
    return { header, blob: record.slice(end) };
  } catch (cause) {
    throw corruptStorage('a stored record', cause);
  }
}

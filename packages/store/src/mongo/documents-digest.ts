/** A digest of documents that depends on what they say, not on the order in which a server keeps their fields. */
import { hashOf } from './bytes.ts';

export const DIGEST_BYTES = 32;

/** SHA-256; a field that is undefined is none. */
export function digestOf(value: unknown): Buffer {
  const pieces: Buffer[] = [];
  feed(pieces, value);
  return hashOf(Buffer.concat(pieces), DIGEST_BYTES);
}

/** Each value with its kind and length before it, so that no two values have the same bytes. */
function feed(pieces: Buffer[], value: unknown): void {
  if (value instanceof Uint8Array)
    piece(pieces, 'bytes', Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  else if (value instanceof Date) piece(pieces, 'date', Buffer.from(String(value.getTime())));
  else if (Array.isArray(value)) {
    piece(pieces, 'list', Buffer.from(String(value.length)));
    for (const one of value) feed(pieces, one);
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    piece(pieces, 'fields', Buffer.from(String(fields.length)));
    for (const [name, field] of fields.sort(([a], [b]) => (a < b ? -1 : 1))) {
      piece(pieces, 'field', Buffer.from(name));
      feed(pieces, field);
    }
  } else piece(pieces, typeof value, Buffer.from(String(value)));
}

function piece(pieces: Buffer[], kind: string, bytes: Buffer): void {
  pieces.push(Buffer.from(`${kind} ${bytes.length}:`), bytes);
}

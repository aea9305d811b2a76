/**
 * Multipart bodies (RFC 2046 section 5.1): parts between lines of one boundary. A part that is multipart itself is bytes here: nothing
 * is read that nobody asks for, so nesting costs nothing.
 *
 * Of our own, since what there is reads HTML forms (a name for each part, streams) or whole e-mails: neither takes a `Content-Id`
 * part of SIP as bytes, bounded and at once.
 */
import { CpimError } from './errors.ts';
import { MULTIPART_BYTES, PARTS } from './limits.ts';
import { checkSize, concatenated, type MimeEntity, parseMediaType, readEntity, writeEntity } from './mime.ts';

// Without the final space that section 5.1.1 forbids.
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const PLAIN_BOUNDARY = /^[0-9A-Za-z'+_\-.]+$/;
const CR = 0x0d;
const LF = 0x0a;
const HYPHEN = 0x2d;

const utf8 = new TextEncoder();

/** Of a `Content-Type`. Throws `CpimError` `malformed`. */
export function boundaryOf(contentType: string): string {
  const { type, parameters } = parseMediaType(contentType);
  const boundary = parameters.get('boundary');
  if (!type.startsWith('multipart/') || boundary === undefined || !BOUNDARY.test(boundary))
    throw new CpimError('malformed', 'no multipart with a boundary');
  return boundary;
}

/** `boundary=…`, in quotes only where it must be: Linphone writes and reads it bare. Throws `CpimError` `unwritable`. */
export function boundaryParameter(boundary: string): string {
  if (!BOUNDARY.test(boundary)) throw new CpimError('unwritable', 'a boundary has 1 to 70 characters of RFC 2046');
  return PLAIN_BOUNDARY.test(boundary) ? `boundary=${boundary}` : `boundary="${boundary}"`;
}

/**
 * Views, in their order; what stands before the first boundary and after the last one is passed over. Throws `CpimError`. Linear: a
 * boundary holds no line end, so a place where one might begin is looked at once.
 */
export function readMultipart(body: Uint8Array, boundary: string): MimeEntity[] {
  checkSize(body, MULTIPART_BYTES);
  const delimiter = utf8.encode(`--${boundary}`);
  const parts: MimeEntity[] = [];
  let start: number | undefined;
  for (let at = isAt(body, delimiter, 0) ? 0 : afterNext(body, delimiter, 0); at >= 0; ) {
    if (start !== undefined) {
      if (parts.length === PARTS) throw new CpimError('too-large', `a body has at most ${PARTS} parts`);
      parts.push(readEntity(body.subarray(start, Math.max(start, at - 2))));
    }
    const end = at + delimiter.length;
    if (body[end] === HYPHEN && body[end + 1] === HYPHEN) {
      if (parts.length === 0) throw new CpimError('malformed', 'a multipart body without parts');
      return parts;
    }
    start = lineEndAfter(body, end);
    // A line that only begins like a boundary belongs to no part: it is refused, as some would take it for one.
    if (start === undefined) throw new CpimError('malformed', 'a line that begins like the boundary and goes on');
    at = isAt(body, delimiter, start) ? start : afterNext(body, delimiter, start);
  }
  throw new CpimError('malformed', 'a multipart body without its last boundary');
}

/** Throws `CpimError` `unwritable`, also where a part has the boundary in it. */
export function writeMultipart(parts: readonly MimeEntity[], boundary: string): Uint8Array<ArrayBuffer> {
  boundaryParameter(boundary);
  if (parts.length === 0 || parts.length > PARTS) throw new CpimError('unwritable', `a body has 1 to ${PARTS} parts`);
  const delimiter = utf8.encode(`--${boundary}`);
  const pieces = parts.flatMap((part) => {
    const bytes = writeEntity(part);
    if (isAt(bytes, delimiter, 0) || afterNext(bytes, delimiter, 0) >= 0)
      throw new CpimError('unwritable', 'a part has the boundary in it: choose another one');
    return [utf8.encode(`--${boundary}\r\n`), bytes, utf8.encode('\r\n')];
  });
  return concatenated([...pieces, utf8.encode(`--${boundary}--\r\n`)]);
}

/** Where the next delimiter at the beginning of a line stands, from `start` on; -1: nowhere. */
function afterNext(bytes: Uint8Array, delimiter: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(CR, start); at >= 0; at = bytes.indexOf(CR, at + 1))
    if (bytes[at + 1] === LF && isAt(bytes, delimiter, at + 2)) return at + 2;
  return -1;
}

function isAt(bytes: Uint8Array, delimiter: Uint8Array, at: number): boolean {
  for (let i = 0; i < delimiter.length; i++) if (bytes[at + i] !== delimiter[i]) return false;
  return true;
}

/** After spaces and one line end; undefined when anything else stands there. */
function lineEndAfter(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : undefined;
}

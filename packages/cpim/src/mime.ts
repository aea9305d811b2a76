/**
 * MIME as far as messages need it: an entity is header lines, an empty line, a body (RFC 2045 section 3). Names are compared without case,
 * folded lines are unfolded. `Content-Length`, which MIME does not know and SIP has, must be true where it stands.
 */
import { CpimError } from './errors.ts';
import { readHead } from './head.ts';
import { MESSAGE_BYTES } from './limits.ts';

export interface MimeHeader {
  readonly name: string;
  readonly value: string;
}

export interface MimeEntity {
  readonly headers: readonly MimeHeader[];
  /** A view, where it was read. */
  readonly body: Uint8Array;
}

export interface MediaType {
  /** Lower case: `multipart/mixed`. */
  readonly type: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const NAME = new RegExp(`^${TOKEN}+$`);
const LINE = new RegExp(`^(${TOKEN}+)[ \\t]*:(.*)$`, 's');
const TYPE = new RegExp(`^(${TOKEN}{1,127}/${TOKEN}{1,127})[ \\t]*(?:;|$)`);
const PARAMETER = new RegExp(`[ \\t]*(${TOKEN}+)=(?:(${TOKEN}+)|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*(?:;|$)`, 'sy');
const VALUE = /^(?! )[^\p{Cc}\p{Cs}]*(?<! )$/u;
/** Two of these would be two messages in one. */
const SINGLE = ['content-type', 'content-length', 'content-disposition', 'content-transfer-encoding', 'content-id'];

const utf8 = new TextEncoder();

/** Throws `CpimError`. What follows a true `Content-Length` may be one line end. */
export function readEntity(bytes: Uint8Array, start = 0): MimeEntity {
  const { lines, end } = readHead(bytes, start);
  const headers = unfolded(lines).map(parseHeader);
  for (const name of SINGLE)
    if (headers.filter((header) => header.name.toLowerCase() === name).length > 1)
      throw new CpimError('duplicate', `${name} comes twice`);
  return { headers, body: bodyOf(headers, bytes.subarray(end)) };
}

/** Throws `CpimError` `unwritable`. `Content-Length` is written as it is given, or not at all. */
export function writeEntity({ headers, body }: MimeEntity): Uint8Array<ArrayBuffer> {
  const lines = headers.map(({ name, value }) => {
    if (!NAME.test(name)) throw new CpimError('unwritable', `no name of a MIME header: ${JSON.stringify(name)}`);
    if (!VALUE.test(value)) throw new CpimError('unwritable', `a control character or outer space in ${name}`);
    return `${name}: ${value}\r\n`;
  });
  return concatenated([utf8.encode(`${lines.join('')}\r\n`), body]);
}

/** `name`: in lower case. */
export function headerOf({ headers }: Pick<MimeEntity, 'headers'>, name: string): string | undefined {
  return headers.find((header) => header.name.toLowerCase() === name)?.value;
}

/** The value of `Content-Type`, and `text/plain` where it is missing (RFC 2045 section 5.2). */
export function contentTypeOf(entity: Pick<MimeEntity, 'headers'>): string {
  return headerOf(entity, 'content-type') ?? 'text/plain';
}

/** Throws `CpimError` `malformed`; `duplicate` for a parameter that comes twice. Comments in brackets are not read. */
export function parseMediaType(value: string): MediaType {
  const [, type] = TYPE.exec(value) ?? [];
  if (type === undefined) throw new CpimError('malformed', 'no media type: it looks like text/plain');
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = value.includes(';') ? value.indexOf(';') + 1 : value.length;
  while (PARAMETER.lastIndex < value.length) {
    const [, name, token, quoted] = PARAMETER.exec(value) ?? [];
    if (name === undefined) throw new CpimError('malformed', 'parameters of a media type look like ;name=value');
    if (parameters.has(name.toLowerCase())) throw new CpimError('duplicate', `the parameter ${name} comes twice`);
    parameters.set(name.toLowerCase(), token ?? quoted!.replace(/\\(.)/gs, '$1'));
  }
  return { type: type.toLowerCase(), parameters };
}

export function concatenated(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Throws `too-large`. */
export function checkSize(bytes: Uint8Array, most = MESSAGE_BYTES): void {
  if (bytes.length > most) throw new CpimError('too-large', `${bytes.length} bytes, where at most ${most} are read`);
}

function unfolded(lines: readonly string[]): string[] {
  const whole: string[] = [];
  for (const line of lines) {
    if (!/^[ \t]/.test(line)) whole.push(line);
    else if (whole.length > 0) whole.push(whole.pop()! + line);
    else throw new CpimError('malformed', 'the first header line continues none');
  }
  return whole;
}

function parseHeader(line: string): MimeHeader {
  const [, name, value] = LINE.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new CpimError('malformed', 'a MIME header looks like Name: value');
  return { name, value: withoutOuterSpace(value) };
}

/** By hand: an expression for the end would look at a long run of spaces once from each of them. */
function withoutOuterSpace(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value[start])) start++;
  while (end > start && isSpace(value[end - 1])) end--;
  return value.slice(start, end);
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function bodyOf(headers: readonly MimeHeader[], rest: Uint8Array): Uint8Array {
  const said = headerOf({ headers }, 'content-length');
  if (said === undefined) return rest;
  if (!/^\d{1,9}$/.test(said)) throw new CpimError('malformed', 'Content-Length is no number');
  const length = Number(said);
  const isLineEnd = rest.length === length + 2 && rest[length] === 0x0d && rest[length + 1] === 0x0a;
  if (rest.length !== length && !isLineEnd)
    throw new CpimError('length-differs', `Content-Length says ${length}, and ${rest.length} bytes follow`);
  return rest.subarray(0, length);
}

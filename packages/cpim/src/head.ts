/**
 * A block of header lines, up to and with the empty line that ends it. Lines end with CRLF alone: RFC 3862 section 2 says so, and Linphone
 * shows nothing of a message with bare LF. What is read differently by two readers is refused rather than guessed at.
 */
import { CpimError } from './errors.ts';
import { HEAD_BYTES, HEAD_LINES } from './limits.ts';

const LF = 0x0a;
const CR = 0x0d;
// Bare CR and LF would be lines to some readers; NUL ends a string in others.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface Head {
  readonly lines: readonly string[];
  /** Where what follows the empty line begins. */
  readonly end: number;
}

/** Throws `CpimError` `malformed` or `too-large`. Linear in what it looks at, which is `HEAD_BYTES` at most. */
export function readHead(bytes: Uint8Array, start: number): Head {
  const end = endOfHead(bytes, start);
  const block = bytes.subarray(start, end - 2);
  const lines = textOf(block)
    .split('\r\n')
    .filter((line) => line !== '');
  if (lines.length > HEAD_LINES) throw new CpimError('too-large', `a head has at most ${HEAD_LINES} lines`);
  if (lines.some((line) => CONTROL.test(line)))
    throw new CpimError('malformed', 'a control character or a bare line end among the header lines');
  return { lines, end };
}

function endOfHead(bytes: Uint8Array, start: number): number {
  const most = Math.min(bytes.length, start + HEAD_BYTES);
  let lineStart = start;
  while (lineStart < most) {
    const at = bytes.indexOf(LF, lineStart);
    if (at < 0 || at >= most) break;
    if (at === lineStart + 1 && bytes[lineStart] === CR) return at + 1;
    lineStart = at + 1;
  }
  if (bytes.length - start >= HEAD_BYTES) throw new CpimError('too-large', `a head has at most ${HEAD_BYTES} bytes`);
  throw new CpimError('malformed', 'header lines without the empty line that ends them, each ended by CRLF');
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new CpimError('malformed', 'header lines are not UTF-8');
  }
}

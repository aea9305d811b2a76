/** base64url without padding (RFC 4648 section 5), strict: one text for each byte string. No Node built-ins. */
import { WireError } from './wire-error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Int8Array(128).fill(-1);
const ANY = '[A-Za-z0-9_-]';
/** By how many bytes there are beyond triples. */
const LAST = ['', '[AQgw]', '[AEIMQUYcgkosw048]'] as const;
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/**
 * What `decodeBase64url` takes for `minimum` to `maximum` bytes, as a regular expression for schemas that limit the length: the last
 * character of a rest has no stray bits. One length has a pattern that says all, which programs that make examples find a match for.
 */
export function base64urlPattern(minimum: number, maximum: number): string {
  if (minimum !== maximum) return `^(?:${ANY}{4})*(?:${ANY}${LAST[1]}|${ANY}{2}${LAST[2]})?$`;
  const characters = Math.ceil((minimum * 4) / 3);
  const last = LAST[minimum % 3];
  return last ? `^${ANY}{${characters - 1}}${last}$` : `^${ANY}{${characters}}$`;
}

export function encodeBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const triple = (bytes[i]! << 16) | ((left > 1 ? bytes[i + 1]! : 0) << 8) | (left > 2 ? bytes[i + 2]! : 0);
    text += ALPHABET[triple >> 18]! + ALPHABET[(triple >> 12) & 63]!;
    if (left > 1) text += ALPHABET[(triple >> 6) & 63]!;
    if (left > 2) text += ALPHABET[triple & 63]!;
  }
  return text;
}

/** Throws `bad-base64url` for padding, foreign characters, an impossible length or stray bits in the last character. */
export function decodeBase64url(text: string): Uint8Array {
  const rest = text.length % 4;
  if (rest === 1) throw new WireError('bad-base64url', 'not base64url: impossible length');
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code]! : -1;
    if (value < 0) throw new WireError('bad-base64url', 'not base64url: foreign character');
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  if (held & ((1 << bits) - 1)) throw new WireError('bad-base64url', 'not base64url: stray bits at the end');
  return bytes;
}

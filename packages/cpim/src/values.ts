/** Values of CPIM headers: escapes (RFC 3862 section 2.3), addresses (4.1 to 4.3), times (4.4). */
import { CpimError } from './errors.ts';

export interface CpimAddress {
  /** For people's eyes only: nobody has checked it. */
  readonly name?: string;
  readonly uri: string;
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', r: '\r' };
const TO_ESCAPE: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\\': '\\\\',
};
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"\p{Cc}\p{Cs}]+$/u;
const ADDRESS = /^(.*?) ?<([^<>]*)>$/su;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/** Text as a value. Any text can be written, control characters and halves of surrogate pairs too. */
export function escapeText(text: string): string {
  return text.replace(
    /[\\\p{Cc}\p{Cs}]/gu,
    (character) => TO_ESCAPE[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A `\` before anything else than the grammar has is passed over. */
export function unescapeText(value: string): string {
  return value.replace(/\\(?:u([0-9A-Fa-f]{4})|(.)|$)/gsu, (_whole, code?: string, character?: string) =>
    code !== undefined ? String.fromCharCode(Number.parseInt(code, 16)) : (ESCAPES[character!] ?? character ?? ''),
  );
}

/** Throws `CpimError` `unwritable`. */
export function formatAddress({ name, uri }: CpimAddress): string {
  if (!URI.test(uri)) throw new CpimError('unwritable', `no URI: ${JSON.stringify(uri)}`);
  const address = `<${escapeText(uri)}>`;
  return name === undefined ? address : `"${escapeText(name).replaceAll('"', '\\"')}" ${address}`;
}

/** A name may stand in quotes or bare. Throws `CpimError` `malformed`. */
export function parseAddress(value: string): CpimAddress {
  const [, name, written] = ADDRESS.exec(value) ?? [];
  const uri = written && unescapeText(written);
  if (name === undefined || !uri || !URI.test(uri))
    throw new CpimError('malformed', 'an address looks like Name <uri>');
  if (name === '') return { uri };
  return { name: unescapeText(/^".*"$/s.test(name) ? name.slice(1, -1) : name), uri };
}

/** ms since 1970, as RFC 3339 in UTC; whole seconds as Linphone writes them. Throws `CpimError` `unwritable` outside the years 0 to 9999. */
export function formatDateTime(ms: number): string {
  const year = Number.isInteger(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).getUTCFullYear() : -1;
  if (year < 0 || year > 9999) throw new CpimError('unwritable', 'no time that RFC 3339 can write');
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** ms since 1970. Throws `CpimError` `malformed`. */
export function parseDateTime(value: string): number {
  const ms = DATE_TIME.test(value) ? Date.parse(value.toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) throw new CpimError('malformed', 'a time looks like 2026-11-28T11:42:10Z');
  return ms;
}

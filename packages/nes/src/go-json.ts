/**
 * JSON as Go's encoder writes it (docs/spec/nes.md section 2). No reader depends on it: a signature covers the bytes as they were
 * sent.
 */

/** An escape as JavaScript writes it, or a character that Go escapes and JavaScript does not. */
const DIFFERS = /\\.|[<>&\u2028\u2029]/g;
const SHORT: Readonly<Record<string, string>> = { '\\b': '\\u0008', '\\f': '\\u000c' };

/** `fields` in their order, no white space. */
export function goJson(fields: Readonly<Record<string, string | number>>): string {
  return JSON.stringify(fields).replace(DIFFERS, (found) =>
    found.length > 1 ? (SHORT[found] ?? found) : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

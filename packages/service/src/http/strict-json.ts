/**
 * JSON as a server should take it from strangers (RFC 8259, I-JSON of RFC 7493): valid UTF-8, no name twice in an object, no
 * `__proto__`, no lone surrogate, no number beyond a double, and a bounded depth.
 */

/** Deeper than any body of ours; bounds what validation and logging may recurse into. */
const MAX_DEPTH = 16;
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);
const utf8 = new TextDecoder('utf-8', { fatal: true });
const LONE_SURROGATE = /\p{Surrogate}/u;

export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Parses `bytes`. Throws `JsonError` with a text that does not quote the input. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new JsonError('not UTF-8');
  }
  checkDepth(text);
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonError('not JSON');
  }
  checkTokens(text);
  return value;
}

/** Before JSON.parse: brackets outside of strings, counted. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') i = endOfString(text, i);
    else if (c === '{' || c === '[') {
      if (++depth > MAX_DEPTH) throw new JsonError(`nested deeper than ${MAX_DEPTH}`);
    } else if (c === '}' || c === ']') depth--;
  }
}

/** `text` is known to be JSON: names are the strings that follow `{` or, within an object, a comma. */
function checkTokens(text: string): void {
  const names: (Set<string> | undefined)[] = [];
  let nameNext = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '{') {
      names.push(new Set());
      nameNext = true;
    } else if (c === '[') names.push(undefined);
    else if (c === '}' || c === ']') {
      names.pop();
      nameNext = false;
    } else if (c === ',') nameNext = names.at(-1) !== undefined;
    else if (c === '"') {
      const end = endOfString(text, i);
      const string = JSON.parse(text.slice(i, end + 1)) as string;
      if (LONE_SURROGATE.test(string)) throw new JsonError('a string with half a surrogate pair');
      if (nameNext) checkName(string, names.at(-1)!);
      nameNext = false;
      i = end;
    } else if (c === '-' || (c >= '0' && c <= '9')) {
      const number = /[-+.0-9eE]+/y;
      number.lastIndex = i;
      const digits = number.exec(text)![0];
      if (!Number.isFinite(Number(digits))) throw new JsonError('a number too large');
      i += digits.length - 1;
    }
  }
}

function checkName(name: string, seen: Set<string>): void {
  if (FORBIDDEN_NAMES.has(name)) throw new JsonError('a forbidden name');
  if (seen.has(name)) throw new JsonError('the same name twice in an object');
  seen.add(name);
}

/** Index of the closing quote (or the last character of an unterminated string). */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

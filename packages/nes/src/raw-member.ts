/** The text of a member of a JSON object as it stands there: what a signature covers must not be serialized again. */

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;

/** `json`: valid, an object. The raw value of `name`, without white space around it; undefined when it has none, or more than one. */
export function rawMember(json: string, name: string): string | undefined {
  let at = end(SPACE, json, 0);
  if (json[at] !== '{') return undefined;
  const found: string[] = [];
  at = end(SPACE, json, at + 1);
  while (json[at] === '"') {
    const nameEnd = end(STRING, json, at);
    const key: unknown = JSON.parse(json.slice(at, nameEnd));
    // The colon.
    at = end(SPACE, json, end(SPACE, json, nameEnd) + 1);
    const valueEnd = endOfValue(json, at);
    if (key === name) found.push(json.slice(at, valueEnd));
    at = end(SPACE, json, valueEnd);
    if (json[at] === ',') at = end(SPACE, json, at + 1);
  }
  return found.length === 1 ? found[0] : undefined;
}

function endOfValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = json[at];
    if (character === '"') at = end(STRING, json, at);
    else {
      if (character === '{' || character === '[') depth++;
      if (character === '}' || character === ']') depth--;
      at++;
    }
  } while (at < json.length && (depth > 0 || !/[,}\]\s]/.test(json[at]!)));
  return at;
}

function end(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

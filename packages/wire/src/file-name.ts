/**
 * Names of files that come from others (docs/spec/files.md section 4): one component of a path on any system, and nothing that shows
 * itself as something else. Readers refuse what is none; writers make one of what they have.
 */

const MOST_BYTES = 255;
/** Separators, what Windows reserves, controls, halves of characters, and those that turn the direction of the text or are not seen. */
const UNFIT = /[/\\:*?"<>|\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/iu;
const encoder = new TextEncoder();

/** True for 1 to 255 bytes of UTF-8 that are safe as the name of a file in a folder that the reader chose. */
export function isFileName(text: string): boolean {
  return (
    text !== '' &&
    encoder.encode(text).length <= MOST_BYTES &&
    !UNFIT.test(text) &&
    !RESERVED.test(text) &&
    !/^ |[. ]$/.test(text)
  );
}

/** The last component of a path, with `_` for what is unfit, cut to length before its extension; `file` where nothing is left. */
export function fileNameFrom(path: string): string {
  const base = path.split(/[/\\]/).at(-1)!.replace(new RegExp(UNFIT, 'gu'), '_');
  const trimmed = cut(base.replace(/^ +/, '').replace(/[. ]+$/, ''));
  const named = RESERVED.test(trimmed) ? `_${trimmed}` : trimmed;
  return isFileName(named) ? named : 'file';
}

function cut(name: string): string {
  const extension = /\.[A-Za-z0-9]{1,16}$/.exec(name)?.[0] ?? '';
  let kept = '';
  // One byte is left for the `_` before a reserved name.
  let room = MOST_BYTES - 1 - extension.length;
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= encoder.encode(character).length;
    if (room < 0) return kept.replace(/[. ]+$/, '') + extension;
    kept += character;
  }
  return name;
}

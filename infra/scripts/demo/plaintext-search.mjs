// Looks for texts in the raw bytes of every file of a folder, in each encoding in which a careless server might have kept them.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every regular file below `folder`. */
export function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
}

/** Where any of `texts` occurs: `{ text, encoding, file }`. Also says how much was read, since a search of nothing finds nothing. */
export function search(folder, texts) {
  const needles = texts.flatMap((text) => encodingsOf(text).map(([encoding, bytes]) => ({ text, encoding, bytes })));
  const found = [];
  let bytesRead = 0;
  const files = filesBelow(folder);
  for (const file of files) {
    const content = readFileSync(file);
    bytesRead += content.length;
    for (const { text, encoding, bytes } of needles)
      if (content.includes(bytes)) found.push({ text, encoding, file: relative(folder, file) });
  }
  return { found, files: files.length, bytesRead };
}

function encodingsOf(text) {
  const utf8 = Buffer.from(text, 'utf8');
  const utf16le = Buffer.from(text, 'utf16le');
  return [
    ['UTF-8', utf8],
    ['UTF-16LE', utf16le],
    ['UTF-16BE', Buffer.from(utf16le).swap16()],
    ['hex', Buffer.from(utf8.toString('hex'))],
    ...[0, 1, 2].flatMap((shift) => base64At(utf8, shift)),
  ];
}

/** The base64 characters that depend on `bytes` alone when `shift` unknown bytes stand before them: one text for each alignment. */
function base64At(bytes, shift) {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  const inner = text.slice(first, last);
  return [
    [`base64 (${shift})`, Buffer.from(inner)],
    [`base64url (${shift})`, Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))],
  ];
}

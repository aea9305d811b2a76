/**
 * Text that somebody else wrote, made safe for a terminal. A message is data: it must not move the cursor, change the title, fill the
 * clipboard (OSC 52), reverse the reading order, or imitate a line of another sender.
 */

// C0 and C1 controls and DEL; bidirectional overrides and isolates (Unicode UAX 9), which can show a text other than the one received;
// the two line separators that some readers take for the end of a line.
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u2028\u2029]/gu;

/** Line breaks stay, continued lines are indented under `indent` spaces; other control characters become visible escapes. */
export function printable(text: string, indent = 0): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  return lines.map((line) => line.replace(/\t/g, ' ').replace(UNSAFE, shown)).join(`\n${' '.repeat(indent)}`);
}

/**
 * One line of JSON that is safe to look at: JSON itself escapes the C0 controls only. A reader of JSON gets the very same text.
 */
export function jsonLine(record: unknown): string {
  return JSON.stringify(record).replace(UNSAFE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function shown(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}

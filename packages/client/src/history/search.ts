/**
 * Words in messages, whatever their case and accents (docs/spec/history.md section 3). There is no index: it would be larger than the texts,
 * or tell their words to who reads the disk.
 */
import { ClientError } from '../errors.ts';
import type { HistoryMessage } from './history-message.ts';

const MOST_WORDS = 16;

/** Whether a message holds every word of `text`, as a part of one of its own. Throws `bad-request` for no word, or too many. */
export function searchFor(text: string): (message: HistoryMessage) => boolean {
  const words = folded(text).split(/\s+/).filter(Boolean);
  if (words.length === 0 || words.length > MOST_WORDS)
    throw new ClientError('bad-request', `a search has 1 to ${MOST_WORDS} words`);
  return ({ text: said }) => {
    if (said === undefined) return false;
    const held = folded(said);
    return words.every((word) => held.includes(word));
  };
}

/** NFKD without marks; ß is ss, as in capitals. */
function folded(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII has no accents, and is most of what is looked through
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .toLowerCase();
}

/** What is said about a message that there is: an answer, another text in its place, that it is to go, a reaction (docs/spec/messages.md section 6). */
import type { Content } from '@sealwire/client/events';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';
import { parseRecipient } from './recipient.ts';

/** `message`: its id, as `listen --json` and `history show --json` print it. */
export const About = z.discriminatedUnion('do', [
  /** `author`: who wrote it; absent: the other side of the pair. */
  z.strictObject({ do: z.literal('reply'), message: z.string(), author: z.string().optional() }),
  z.strictObject({ do: z.enum(['edit', 'delete', 'react']), message: z.string() }),
]);
export type About = z.output<typeof About>;

/** `text`: what is said; an emoji of a reaction, empty to take it back. Throws `CliError` (`usage`). */
export function contentAbout(
  about: About,
  text: string,
  to: AccountAddress,
  own: AccountAddress,
  isGroup: boolean,
): Content {
  const { message } = about;
  const said = { type: 'text/plain', body: new TextEncoder().encode(text) };
  if (about.do === 'reply') {
    if (about.author === undefined && isGroup)
      throw new CliError('usage', 'who wrote the message? in a group give --author ADDRESS');
    const sender = about.author === undefined ? to : parseRecipient(about.author, own);
    return { ...said, reply: { id: message, sender } };
  }
  if (about.do === 'edit') return { ...said, edits: message };
  return about.do === 'react' ? { ...said, reactionTo: message } : { ...said, deletes: message };
}

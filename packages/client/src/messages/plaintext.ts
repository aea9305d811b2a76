/** What is encrypted: the content of a message (wire/envelope) with the id that stays the same in every attempt to send it. */
import { isNotice } from '@sealwire/cpim/chat-message';
import { encodeContent, MEDIA_TYPE } from '@sealwire/wire/envelope';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { ClientError } from '../errors.ts';
import type { Content } from '../events.ts';
import { CPIM_TYPE } from './cpim-content.ts';

/**
 * A frame has room for it with the parts of all devices of one account: ten times the first one of a session on the largest suite with
 * its device id, 52 KB, and the place in the chain with receipts and newcomers of two accounts, 1 KB, or 2.5 KB as headers of CPIM.
 */
const MAXIMUM_BYTES = 72 * 1_024;

/** A string is sent as `text/plain`. `requests`: as in `Content`; a CPIM message says itself what it asks for. `typingKey`: docs/spec/presence.md. Throws `message-too-large`, and `bad-request` for what is no media type. */
export function plaintextOf(
  content: Content | string,
  id: string,
  sentAt: number,
  requests?: number,
  typingKey?: Uint8Array,
): Uint8Array {
  const { type, body, ...said } = contentOf(content);
  if (body.length > MAXIMUM_BYTES)
    throw new ClientError('message-too-large', `a message has at most ${MAXIMUM_BYTES} bytes: send this as a file`);
  try {
    const asks = requests !== undefined && type !== CPIM_TYPE && !isNotice(type);
    const more = { ...(asks && { requests }), ...(typingKey && { typingKey }), ...saidOf(said) };
    return encodeContent({ type, body, sentAt, id, ...more });
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    const text = MEDIA_TYPE.test(type)
      ? `this cannot be said in a message: ${cause.message}`
      : `${type} is no media type: it looks like text/plain`;
    throw new ClientError('bad-request', text, { cause });
  }
}

/** A string is a `text/plain`. */
export function contentOf(content: Content | string): Content {
  return typeof content === 'string' ? { type: 'text/plain', body: new TextEncoder().encode(content) } : content;
}

/** No more than `Content` names: a caller may hand over a message that it was shown. */
function saidOf({ reply, reactionTo, edits, deletes, mentions, lifetime }: Omit<Content, 'type' | 'body'>) {
  return {
    ...(reply && { reply: { id: reply.id, sender: parseAccountAddress(reply.sender.replace(/;.*$/s, '')) } }),
    ...(reactionTo !== undefined && { reactionTo }),
    ...(edits !== undefined && { edits }),
    ...(deletes !== undefined && { deletes }),
    ...(mentions && { mentions }),
    ...(lifetime !== undefined && { lifetime }),
  };
}

/**
 * `Content` as Message/CPIM and back, without loss (docs/spec/messages.md section 5, decision 40). A message that a LIME device of somebody
 * else gets too is CPIM for everybody, since all of a message's devices share one plaintext: to that device it is a chat message as
 * Linphone writes it, and what only ours understand (a place in a chain, receipts) is in one header that it passes over.
 */
import {
  type ChatMessage,
  chatMessageOf,
  isNotice,
  readChatMessage,
  writeChatMessage,
} from '@sealwire/cpim/chat-message';
import { CpimError } from '@sealwire/cpim/errors';
import { isMessageId } from '@sealwire/cpim/imdn';
import { headersOf, readCpim } from '@sealwire/cpim/message';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { type Content, decodeContent, encodeContent } from '@sealwire/wire/envelope';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { dispositionsIn, requestBits } from './receipts/receipt-level.ts';

export const CPIM_TYPE = 'message/cpim';

const NAMESPACE = 'urn:x-sealwire:content';
/** The rest of a `Content` whose body is that of the CPIM message. */
const OF_BODY = { namespace: NAMESPACE, name: 'Content' };
/** The rest of a `Content` whose body is the CPIM message itself, without these two lines. */
const OF_MESSAGE = { namespace: NAMESPACE, name: 'Message' };
/** Of an id in `Content`, in bytes. */
const ID_BYTES = 64;
const NO_BYTES = new Uint8Array(0);
const HEAD_END = '\r\n\r\n';

const utf8 = new TextEncoder();

export interface CpimContent {
  readonly content: Content;
  /** `From`, a URI; whether it is who encrypted the message is for the caller to say. */
  readonly from: string;
}

export interface Shown extends Pick<ChatMessage, 'type' | 'body' | 'reply' | 'reactionTo' | 'lifetime' | 'requests'> {
  readonly mentions?: readonly AccountAddress[];
}

/** `from`: the device that encrypts. A `content` that is itself a CPIM message of its account is sent as that message. */
export function encodeCpim(content: Content, from: DeviceId, to: AccountAddress): Uint8Array {
  for (const { base, name } of forms(content, from, to)) {
    if (isSame(readOr(base), content)) return base;
    const rest = encodeBase64url(encodeContent({ ...content, body: NO_BYTES }));
    const whole = insert(base, linesFor(name, rest));
    if (isSame(readOr(whole), content)) return whole;
  }
  throw new CpimError('unwritable', 'this content has no form as CPIM');
}

/** Throws `CpimError` for what is no chat message, and `WireError` for a rest that is none. */
export function decodeCpim(bytes: Uint8Array): CpimContent {
  const message = readCpim(bytes);
  const chat = chatMessageOf(message);
  const rest = message.headers.at(-1);
  if (rest?.namespace === NAMESPACE && headersOf(message, OF_MESSAGE).at(-1) === rest) {
    const body = remove(bytes, linesFor(OF_MESSAGE.name, rest.value));
    return { content: { ...decodeContent(decodeBase64url(rest.value)), body }, from: chat.from };
  }
  if (rest?.namespace === NAMESPACE && headersOf(message, OF_BODY).at(-1) === rest) {
    const content = { ...decodeContent(decodeBase64url(rest.value)), body: chat.body };
    // Two devices of one person must not be shown different messages by one plaintext.
    const isOther = [
      differs(chat.sentAt, content.sentAt),
      differs(chat.id, content.id),
      differs(chat.reply?.id, content.reply?.id),
      differs(chat.reply?.sender, content.reply?.sender),
      differs(chat.reactionTo, content.reactionTo),
      differs(chat.lifetime, content.lifetime),
    ].includes(true);
    if (content.type.trim() !== chat.type || isOther)
      throw new CpimError('malformed', 'the rest of a content says something else than the message');
    return { content, from: chat.from };
  }
  return { content: foreignContent(chat, bytes), from: chat.from };
}

/** The message inside, where the content is a CPIM message of `account`. */
function chatIn({ type, body }: Pick<Content, 'type' | 'body'>, account: AccountAddress): ChatMessage | undefined {
  if (type !== CPIM_TYPE) return undefined;
  try {
    const chat = readChatMessage(body);
    return isOf(chat.from, account) ? chat : undefined;
  } catch (error) {
    if (error instanceof CpimError) return undefined;
    throw error;
  }
}

type ShownContent = Pick<Content, 'type' | 'body' | 'requests' | 'reply' | 'reactionTo' | 'lifetime' | 'mentions'>;

/** What an application is shown of a content that a device of `account` wrote. */
export function shownOf(content: ShownContent, account: AccountAddress): Shown {
  const { type, body, mentions, reply: answered, reactionTo: about, lifetime: life } = content;
  const asked = dispositionsIn(content.requests);
  const { reply, reactionTo, lifetime, requests, ...shown }: Shown = chatIn(content, account) ?? {
    type,
    body,
    ...(answered && { reply: answered }),
    ...(about !== undefined && { reactionTo: about }),
    ...(life !== undefined && { lifetime: life }),
    ...(asked.length > 0 && { requests: asked }),
  };
  return {
    type: shown.type,
    body: shown.body,
    ...(reply && { reply }),
    ...(reactionTo !== undefined && { reactionTo }),
    ...(lifetime !== undefined && { lifetime }),
    ...(requests && { requests }),
    ...(mentions && { mentions }),
  };
}

/** Whether a URI is the account, or a device of it. */
export function isOf(uri: string, account: AccountAddress): boolean {
  return uri === account || uri.startsWith(`${account};`);
}

/** The message itself where the content is one, else the content as the body of a new one. */
function* forms(content: Content, from: DeviceId, to: AccountAddress): Iterable<{ base: Uint8Array; name: string }> {
  const account = from.slice(0, from.indexOf(';')) as AccountAddress;
  if (chatIn(content, account)) yield { base: content.body, name: OF_MESSAGE.name };
  const { type, body, sentAt, id, reply, reactionTo, lifetime } = content;
  const said = {
    ...(reply && isMessageId(reply.id) && { reply }),
    ...(reactionTo !== undefined && isMessageId(reactionTo) && { reactionTo }),
    ...(lifetime !== undefined && { lifetime }),
  };
  const requests = dispositionsIn(content.requests);
  const isTime = sentAt <= Date.UTC(9999, 11, 31);
  const isNamed = id !== undefined && isMessageId(id);
  const named = isNamed && { id, ...(requests.length > 0 && !isNotice(type) && { requests }) };
  yield {
    base: writeChatMessage({ from, to, ...(isTime && { sentAt }), ...named, ...said, type: type.trim(), body }),
    name: OF_BODY.name,
  };
}

/** Of a device that knows no `Content`: plain where that says all of it, else the whole message. */
function foreignContent(chat: ChatMessage, bytes: Uint8Array): Content {
  const { from, to, type, body, sentAt = 0, id, requests: asked = [] } = chat;
  const named = id !== undefined && isMessageId(id) && id.length <= ID_BYTES && { id };
  const requests = named ? requestBits(asked) : undefined;
  const plain = { type, body, sentAt, ...named, ...(requests && { requests }) };
  const written = { from, to, type, body, sentAt, ...named, ...(requests && { requests: asked }) };
  const isPlain = type !== CPIM_TYPE && isEncodable(plain) && isBytes(writeOr(written), bytes);
  return isPlain ? plain : { type: CPIM_TYPE, body: bytes, sentAt, ...named };
}

function differs<T>(said: T | undefined, meant: T | undefined): boolean {
  return said !== undefined && said !== meant;
}

function linesFor(name: string, rest: string): Uint8Array {
  return utf8.encode(`NS: sealwire <${NAMESPACE}>\r\nsealwire.${name}: ${rest}\r\n`);
}

/** `lines` at the end of the message headers. */
function insert(message: Uint8Array, lines: Uint8Array): Uint8Array {
  const at = endOfLines(message);
  const whole = new Uint8Array(message.length + lines.length);
  whole.set(message.subarray(0, at));
  whole.set(lines, at);
  whole.set(message.subarray(at), at + lines.length);
  return whole;
}

function remove(message: Uint8Array, lines: Uint8Array): Uint8Array {
  const at = endOfLines(message);
  if (!isBytes(message.subarray(Math.max(0, at - lines.length), at), lines))
    throw new CpimError('malformed', 'the rest of a content is not where it is written');
  const shorter = new Uint8Array(message.length - lines.length);
  shorter.set(message.subarray(0, at - lines.length));
  shorter.set(message.subarray(at), at - lines.length);
  return shorter;
}

/** After the last line of the message headers, before the empty one. `message` was read, or is read next. */
function endOfLines(message: Uint8Array): number {
  return new TextDecoder('latin1').decode(message).indexOf(HEAD_END) + 2;
}

function readOr(bytes: Uint8Array): Content | undefined {
  try {
    return decodeCpim(bytes).content;
  } catch (error) {
    if (error instanceof CpimError || error instanceof WireError) return undefined;
    throw error;
  }
}

function writeOr(message: ChatMessage): Uint8Array {
  try {
    return writeChatMessage(message);
  } catch (error) {
    if (error instanceof CpimError) return NO_BYTES;
    throw error;
  }
}

function isEncodable(content: Content): boolean {
  try {
    encodeContent(content);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function isSame(one: Content | undefined, other: Content): boolean {
  return one !== undefined && isEncodable(one) && isBytes(encodeContent(one), encodeContent(other));
}

function isBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

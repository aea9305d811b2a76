/**
 * What is inside the encryption of a chat message, as Linphone 5.3 writes it and takes it (docs/spec/messages.md section 3): a CPIM message
 * with the headers of RFC 5438 and Linphone's own for reactions, replies and short lives. The writer's order of headers is Linphone's.
 */
import { CpimError } from './errors.ts';
import { DISPOSITIONS, type Disposition, IMDN_NAMESPACE, IMDN_TYPE, isMessageId } from './imdn.ts';
import {
  type CpimHeader,
  type CpimMessage,
  type CpimName,
  headersOf,
  type ReadCpim,
  readCpim,
  writeCpim,
} from './message.ts';
import { contentTypeOf, headerOf, type MimeHeader } from './mime.ts';
import { formatAddress, formatDateTime, parseAddress, parseDateTime } from './values.ts';

export const LINPHONE_NAMESPACE = 'tag:linphone.org,2020:params:groupchat';

export interface ChatMessage {
  /** URI of the device that encrypts. Linphone shows nothing of another account. */
  readonly from: string;
  /** URI of whom it is for. Linphone shows nothing without one. */
  readonly to: string;
  /** ms since 1970, by the sender's clock. */
  readonly sentAt?: number;
  /** `imdn.Message-ID`, a token: what notices, reactions and replies name it by. */
  readonly id?: string;
  /** What the sender wants to hear of; needs an `id`. Never of a notice (RFC 5438 section 5), or two devices would write for ever. */
  readonly requests?: readonly Disposition[];
  /** RFC 5438 sections 6.4 to 6.6, URIs: who was meant at first, and through which stores notices go back. */
  readonly originalTo?: string;
  readonly recordRoutes?: readonly string[];
  readonly routes?: readonly string[];
  readonly reply?: Reply;
  /** The message that the body, an emoji, is a reaction to. */
  readonly reactionTo?: string;
  /** Seconds that the message may be shown, from its first display on. */
  readonly lifetime?: number;
  /** `Content-Type` as it is written. */
  readonly type: string;
  readonly body: Uint8Array;
}

export interface Reply {
  /** Of the message that is answered. */
  readonly id: string;
  /** URI of the device that wrote it. */
  readonly sender: string;
}

const MESSAGE_ID = { namespace: IMDN_NAMESPACE, name: 'Message-ID' };
const REQUESTS = { namespace: IMDN_NAMESPACE, name: 'Disposition-Notification' };
const ORIGINAL_TO = { namespace: IMDN_NAMESPACE, name: 'Original-To' };
const RECORD_ROUTE = { namespace: IMDN_NAMESPACE, name: 'IMDN-Record-Route' };
const ROUTE = { namespace: IMDN_NAMESPACE, name: 'IMDN-Route' };
const REPLY_ID = { namespace: LINPHONE_NAMESPACE, name: 'Replying-To-Message-ID' };
const REPLY_SENDER = { namespace: LINPHONE_NAMESPACE, name: 'Replying-To-Sender' };
const REACTION_TO = { namespace: LINPHONE_NAMESPACE, name: 'In-Reply-To' };
const LIFETIME = { namespace: LINPHONE_NAMESPACE, name: 'Ephemeral-Time' };
const KNOWN: readonly CpimName[] = [
  ...['From', 'To', 'cc', 'DateTime', 'Subject', 'NS', 'Require'].map((name) => ({ name })),
  ...[MESSAGE_ID, REQUESTS, ORIGINAL_TO, RECORD_ROUTE, ROUTE, REPLY_ID, REPLY_SENDER, REACTION_TO, LIFETIME],
];
const PREFIXES: Readonly<Record<string, string>> = { [IMDN_NAMESPACE]: 'imdn', [LINPHONE_NAMESPACE]: 'linphone' };
/** A year; what is longer is a mistake, and no number that could overflow anybody's. */
const MOST_LIFETIME = 366 * 24 * 60 * 60;

/** Throws `CpimError` `unwritable`. */
export function writeChatMessage(message: ChatMessage): Uint8Array<ArrayBuffer> {
  return writeCpim(cpimOf(message));
}

/**
 * Throws `CpimError`: `unsupported` for a message that must not be shown by whoever does not know one of its headers. Nothing that it says
 * of its author is checked here.
 */
export function readChatMessage(bytes: Uint8Array): ChatMessage {
  return chatMessageOf(readCpim(bytes));
}

/** As `readChatMessage`. */
export function chatMessageOf(message: ReadCpim): ChatMessage {
  const unknown = message.required.find(
    ({ namespace, name }) => !KNOWN.some((known) => known.name === name && known.namespace === namespace),
  );
  if (unknown) throw new CpimError('unsupported', `the message requires ${unknown.name}, which is not known here`);
  const one = (name: CpimName) => {
    const found = headersOf(message, name);
    if (found.length > 1) throw new CpimError('duplicate', `${name.name} comes twice`);
    return found[0]?.value;
  };
  const uriOf = (value: string) => parseAddress(value).uri;
  const all = (name: CpimName) => headersOf(message, name).map(({ value }) => uriOf(value));
  const from = one({ name: 'From' });
  const [to] = all({ name: 'To' });
  if (from === undefined || to === undefined) throw new CpimError('malformed', 'a chat message has From and To');
  const sentAt = one({ name: 'DateTime' });
  const id = one(MESSAGE_ID);
  const requests = dispositionsIn(one(REQUESTS));
  const originalTo = one(ORIGINAL_TO);
  const [recordRoutes, routes] = [all(RECORD_ROUTE), all(ROUTE)];
  const reply = { id: one(REPLY_ID), sender: one(REPLY_SENDER) };
  const reactionTo = one(REACTION_TO);
  const lifetime = secondsIn(one(LIFETIME));
  const type = contentTypeOf(message.content);
  return {
    from: uriOf(from),
    to,
    ...(sentAt !== undefined && { sentAt: parseDateTime(sentAt) }),
    ...(id && { id }),
    ...(id && requests.length > 0 && !isNotice(type) && { requests }),
    ...(originalTo !== undefined && { originalTo: uriOf(originalTo) }),
    ...(recordRoutes.length > 0 && { recordRoutes }),
    ...(routes.length > 0 && { routes }),
    ...(reply.id && reply.sender !== undefined && { reply: { id: reply.id, sender: uriOf(reply.sender) } }),
    ...(reactionTo && dispositionOf(message) === 'reaction' && { reactionTo }),
    ...(lifetime !== undefined && { lifetime }),
    type,
    body: message.content.body,
  };
}

/** Whether a message of this type is a notice. */
export function isNotice(type: string): boolean {
  return type.split(';', 1)[0]!.trim().toLowerCase() === IMDN_TYPE;
}

function cpimOf(message: ChatMessage): CpimMessage {
  const { from, to, sentAt, id, requests = [], reply, reactionTo, lifetime, type, body } = message;
  const { originalTo, recordRoutes = [], routes = [] } = message;
  if (requests.length > 0 && (id === undefined || isNotice(type)))
    throw new CpimError('unwritable', 'only a message with an id, and no notice, asks for notices');
  for (const token of [id, reply?.id, reactionTo])
    if (token !== undefined && !isMessageId(token))
      throw new CpimError('unwritable', `the id of a message is a token of RFC 3862: ${JSON.stringify(token)}`);
  if (lifetime !== undefined && !isLifetime(lifetime))
    throw new CpimError('unwritable', `a lifetime has 1 to ${MOST_LIFETIME} seconds`);
  const headers = [
    header({ name: 'From' }, formatAddress({ uri: from })),
    header({ name: 'To' }, formatAddress({ uri: to })),
    header({ name: 'DateTime' }, sentAt === undefined ? undefined : formatDateTime(sentAt)),
    header(MESSAGE_ID, id),
    header(REPLY_ID, reply?.id),
    header(REPLY_SENDER, reply && formatAddress({ uri: reply.sender })),
    header(REQUESTS, requests.length > 0 ? requests.join(', ') : undefined),
    header(ORIGINAL_TO, originalTo === undefined ? undefined : formatAddress({ uri: originalTo })),
    ...recordRoutes.map((uri) => header(RECORD_ROUTE, formatAddress({ uri }))),
    ...routes.map((uri) => header(ROUTE, formatAddress({ uri }))),
    header(REACTION_TO, reactionTo),
    header(LIFETIME, lifetime === undefined ? undefined : String(lifetime)),
  ];
  const disposition = reactionTo !== undefined ? 'Reaction' : isNotice(type) ? 'notification' : undefined;
  const contentHeaders: MimeHeader[] = [
    ...(disposition === undefined ? [] : [{ name: 'Content-Disposition', value: disposition }]),
    { name: 'Content-Type', value: type },
    { name: 'Content-Length', value: String(body.length) },
  ];
  return { headers: headers.flat(), content: { headers: contentHeaders, body } };
}

function header({ namespace, name }: CpimName, value: string | undefined): CpimHeader[] {
  if (value === undefined) return [];
  return [namespace === undefined ? { name, value } : { namespace, prefix: PREFIXES[namespace]!, name, value }];
}

function dispositionOf({ content }: CpimMessage): string | undefined {
  return headerOf(content, 'content-disposition')?.split(';', 1)[0]?.trim().toLowerCase();
}

/** Those that RFC 5438 has; a sender may ask for what nobody knows yet. */
function dispositionsIn(value = ''): Disposition[] {
  const asked = value.split(',').map((item) => item.trim().toLowerCase());
  return DISPOSITIONS.filter((disposition) => asked.includes(disposition));
}

/** 0 stands for no end. */
function secondsIn(value: string | undefined): number | undefined {
  if (value === undefined || value === '0') return undefined;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!isLifetime(seconds)) throw new CpimError('malformed', `a lifetime has 1 to ${MOST_LIFETIME} seconds`);
  return seconds;
}

function isLifetime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_LIFETIME;
}

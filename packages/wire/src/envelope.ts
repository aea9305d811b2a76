/**
 * What clients tell each other through a relay's opaque bytes: `proto/envelope.proto`. The envelope
 * is the shared body of a message, the content its plaintext. Unknown fields are skipped, so that a
 * newer client may add some. Byte fields are views.
 */
import type { AccountAddress } from './ids.ts';
import { LIMITS } from './limits.ts';
import {
  address,
  bytes,
  exactly,
  list,
  type MessageOf,
  MessageType,
  matching,
  message,
  text,
  uint,
} from './protobuf/fields.ts';
import type { Writer } from './protobuf/writer.ts';

const ENGINE = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const NO_BYTES = new Uint8Array(0);
/** RFC 6838, with parameters if there are any. */
export const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;[\x20-\x7e]{1,127})?$/;

/** Lower case, at most 32 characters. */
export function isEngineId(text: string): boolean {
  return ENGINE.test(text);
}

export const ENVELOPE = new MessageType({
  /** What made the parts: `lime`. A client that does not know it cannot read the message, and says so. */
  engine: matching(1, ENGINE, 32),
  /** Account or group that the encryption is bound to (lime-protocol section 8: recipient user id). */
  recipientUser: address(2),
  /** LIME: the cipherMessage. Empty when every part holds the plaintext itself. */
  cipherMessage: bytes(3, LIMITS.payloadBytes.value),
});

/** Bytes of a digest and of a tag (docs/spec/chain.md section 2). */
export const DIGEST_BYTES = 16;
export const TAG_BYTES = 8;
/** Of AES-256 (docs/spec/presence.md section 4). */
export const TYPING_KEY_BYTES = 32;
/** Of one message; of a larger group's devices the others begin without being named (docs/spec/groups.md section 6). */
export const NEWCOMERS = 512;
/** Of one message: what has no room goes with the next one. */
export const RECEIPTS = 8;
export const MISSING_RANGES = 4;
/** Of one message: relay ids that could not be read, and as many that cannot be sent again (docs/spec/healing.md). */
export const UNREAD_IDS = 64;
/** Of `Content.group`: a message that is CPIM carries it in a header. */
export const GROUP_PART_BYTES = 4_096;
/** Accounts that one text names. */
export const MENTIONS = 64;
const ID_BYTES = 64;
/** Seconds: a year. */
export const LONGEST_LIFETIME = 365 * 24 * 60 * 60;

/** A field that need not be there: without an id there is none. */
const NO_REPLY = { id: '', sender: '' as AccountAddress };
const REPLY_TO = message(17, { id: text(1, ID_BYTES), sender: address(2) });
const REPLY_TO_FIELD = {
  ...REPLY_TO,
  absent: NO_REPLY,
  write: (writer: Writer, value: typeof NO_REPLY, code: string) => {
    if (value.id !== '') REPLY_TO.write(writer, value, code);
  },
};

export const CONTENT = new MessageType(
  {
    /** Media type (RFC 6838), with parameters if there are any: at most 255 ASCII characters. */
    type: matching(1, MEDIA_TYPE, 255),
    body: bytes(2, LIMITS.payloadBytes.value),
    /** ms since 1970, by the sender's clock. */
    sentAt: uint(3),
    /** Of the message, for replies and receipts. */
    id: text(4, ID_BYTES),
    /** The place in a chain: docs/spec/chain.md. */
    number: uint(5),
    previous: uint(6),
    digest: bytes(7, DIGEST_BYTES),
    newcomers: list(exactly(8, TAG_BYTES), NEWCOMERS),
    receipts: list(
      message(
        9,
        {
          device: exactly(1, TAG_BYTES),
          number: uint(2),
          digest: exactly(3, DIGEST_BYTES),
          missing: list(message(4, { first: uint(1), last: uint(2) }), MISSING_RANGES),
          /** Up to here messages have been shown to a person; 0: none, or it is not told. */
          displayed: uint(5),
        },
        {
          check({ number, missing, displayed }, reader) {
            let below = 0;
            for (const { first, last } of missing) {
              if (first <= below || last < first) reader.fail('ranges out of order');
              below = last;
            }
            if (number <= below) reader.fail('a receipt of what is missing');
            if (displayed > number) reader.fail('displayed before it arrived');
          },
        },
      ),
      RECEIPTS,
    ),
    /** Relay ids: docs/spec/healing.md. */
    unread: list(exactly(10, LIMITS.messageIdBytes.value), UNREAD_IDS),
    gone: list(exactly(11, LIMITS.messageIdBytes.value), UNREAD_IDS),
    again: bytes(12, LIMITS.messageIdBytes.value),
    moot: list(exactly(13, LIMITS.messageIdBytes.value), UNREAD_IDS),
    /** docs/spec/engines.md section 4. */
    refused: list(
      message(
        14,
        { id: exactly(1, LIMITS.messageIdBytes.value), statusCode: uint(2) },
        {
          check({ statusCode }, reader) {
            if (statusCode < 300 || statusCode > 699) reader.fail('no status code of a refusal');
          },
        },
      ),
      UNREAD_IDS,
    ),
    /** Which notices the sender asks for: docs/spec/messages.md section 5. */
    requests: uint(15),
    /** `GroupNews` (group-news.ts), encoded. */
    group: bytes(16, GROUP_PART_BYTES),
    reply: REPLY_TO_FIELD,
    /** Ids of messages, as `id`; empty: none. */
    reactionTo: text(18, ID_BYTES),
    edits: text(19, ID_BYTES),
    deletes: text(20, ID_BYTES),
    mentions: list(address(21), MENTIONS),
    /** Seconds; 0: no end. */
    lifetime: uint(22),
    /** docs/spec/presence.md. */
    typingKey: bytes(30, TYPING_KEY_BYTES),
  },
  {
    check({ number, previous, digest, newcomers, again, reactionTo, edits, deletes, lifetime, typingKey }, reader) {
      if ([reactionTo, edits, deletes].filter((id) => id !== '').length > 1) reader.fail('two things at once');
      if (lifetime > LONGEST_LIFETIME) reader.fail('a life beyond a year');
      if (typingKey.length !== 0 && typingKey.length !== TYPING_KEY_BYTES) reader.fail('a key of another length');
      if (again.length !== 0 && again.length !== LIMITS.messageIdBytes.value) reader.fail('an id of another length');
      if (previous > 0 ? previous >= number : number === 0 && newcomers.length > 0) reader.fail('no place in a chain');
      if (digest.length !== (previous > 0 ? DIGEST_BYTES : 0)) reader.fail('a digest of another length');
    },
  },
);

/** A place in the chain of a sending device: docs/spec/chain.md section 2. */
export interface ChainLink {
  readonly number: number;
  /** Absent: the sender knows of no accepted one. */
  readonly previous?: { readonly number: number; readonly digest: Uint8Array };
  readonly newcomers: readonly Uint8Array[];
}

export type Envelope = MessageOf<typeof ENVELOPE>;
export type RefusedMessage = MessageOf<typeof CONTENT>['refused'][number];
export type Receipt = MessageOf<typeof CONTENT>['receipts'][number];

/** The message that another one answers. */
export interface ReplyTo {
  readonly id: string;
  readonly sender: AccountAddress;
}

export interface Content {
  readonly type: string;
  readonly body: Uint8Array;
  readonly sentAt: number;
  readonly id?: string;
  /** Absent: a receipt of its own, or made by who knows no chains. */
  readonly link?: ChainLink;
  readonly receipts?: readonly Receipt[];
  /** Relay ids of messages that the writer could not read. */
  readonly unread?: readonly Uint8Array[];
  /** Those that the addressee could not read, and that cannot be sent again. */
  readonly gone?: readonly Uint8Array[];
  /** Those of them that nobody would have been shown. */
  readonly moot?: readonly Uint8Array[];
  /** Relay ids of messages that the writer could not read, and that need not come again. */
  readonly refused?: readonly RefusedMessage[];
  /** The relay id under which the addressee could not read this message. */
  readonly again?: Uint8Array;
  /** Which notices the sender asks for: the sum of bits of `NOTICE_BITS`; absent: none. */
  readonly requests?: number;
  /** `GroupNews`, encoded. */
  readonly group?: Uint8Array;
  readonly reply?: ReplyTo;
  /** Ids of earlier messages: that the body is a reaction to; that this one takes the place of; that is to be shown no more. */
  readonly reactionTo?: string;
  readonly edits?: string;
  readonly deletes?: string;
  readonly mentions?: readonly AccountAddress[];
  /** Seconds that the message may be shown. */
  readonly lifetime?: number;
  /** Under which its device tells in this conversation that its user is typing; absent: it does not. */
  readonly typingKey?: Uint8Array;
}

/** RFC 5438 section 6.2, as bits of `Content.requests`. */
export const NOTICE_BITS = { 'positive-delivery': 1, 'negative-delivery': 2, processing: 4, display: 8 } as const;

/** Throws `bad-envelope` for what `decodeEnvelope` would refuse. */
export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  const bytes = ENVELOPE.encode(envelope);
  decodeEnvelope(bytes);
  return bytes;
}

/** Throws `WireError` `bad-envelope`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  return ENVELOPE.decode(bytes, 'bad-envelope');
}

/** Throws `bad-content` for what `decodeContent` would refuse. */
export function encodeContent(content: Content): Uint8Array<ArrayBuffer> {
  const bytes = encodeGoodContent(content);
  decodeContent(bytes);
  return bytes;
}

/** As `encodeContent`, of what `decodeContent` has answered: it is not looked at again. */
export function encodeGoodContent(content: Content): Uint8Array<ArrayBuffer> {
  const {
    id = '',
    link,
    receipts = [],
    unread = [],
    gone = [],
    moot = [],
    refused = [],
    again = NO_BYTES,
    requests = 0,
    group = NO_BYTES,
    reply = NO_REPLY,
    reactionTo = '',
    edits = '',
    deletes = '',
    mentions = [],
    lifetime = 0,
    typingKey = NO_BYTES,
    ...rest
  } = content;
  const { number = 0, previous, newcomers = [] } = link ?? {};
  const place = { number, previous: previous?.number ?? 0, digest: previous?.digest ?? NO_BYTES, newcomers };
  const parts = { group, reply, reactionTo, edits, deletes, mentions, lifetime };
  return CONTENT.encode(
    { ...rest, id, ...place, receipts, unread, gone, again, moot, refused, requests, typingKey, ...parts },
    'bad-content',
  );
}

/** Throws `WireError` `bad-content`. */
export function decodeContent(bytes: Uint8Array): Content {
  const { id, number, previous, digest, newcomers, receipts, unread, gone, again, moot, refused, ...rest } =
    CONTENT.decode(bytes, 'bad-content');
  const { requests, typingKey, group, reply, reactionTo, edits, deletes, mentions, lifetime, ...content } = rest;
  const link: ChainLink = { number, newcomers, ...(previous > 0 && { previous: { number: previous, digest } }) };
  return {
    ...content,
    ...(id !== '' && { id }),
    ...(number > 0 && { link }),
    ...(receipts.length > 0 && { receipts }),
    ...(unread.length > 0 && { unread }),
    ...(gone.length > 0 && { gone }),
    ...(again.length > 0 && { again }),
    ...(moot.length > 0 && { moot }),
    ...(refused.length > 0 && { refused }),
    ...(requests > 0 && { requests }),
    ...(group.length > 0 && { group }),
    ...(reply.id !== '' && { reply }),
    ...(reactionTo !== '' && { reactionTo }),
    ...(edits !== '' && { edits }),
    ...(deletes !== '' && { deletes }),
    ...(mentions.length > 0 && { mentions }),
    ...(lifetime > 0 && { lifetime }),
    ...(typingKey.length > 0 && { typingKey }),
  };
}

/**
 * What clients tell each other through a relay's opaque bytes: `proto/envelope.proto`. The envelope is the shared body of a message,
 * the content its plaintext. Unknown fields are skipped, so that a newer client may add some. Byte fields are views.
 */
import { type AccountAddress, parseAccountAddress } from './ids.ts';
import { LIMITS } from './limits.ts';
import { Reader } from './protobuf-reader.ts';
import { Writer } from './protobuf-writer.ts';

export interface Envelope {
  /** What made the parts: `lime`. A client that does not know the engine cannot read the message, and says so. */
  readonly engine: string;
  /** The account or group that the encryption is bound to (lime-protocol section 8: recipient user id). */
  readonly recipientUser: AccountAddress;
  /** LIME: the cipherMessage. Empty when every part holds the plaintext itself. */
  readonly cipherMessage: Uint8Array;
}

export interface Content {
  /** Media type (RFC 6838), with parameters if there are any: at most 255 ASCII characters. */
  readonly type: string;
  readonly body: Uint8Array;
  /** ms since 1970, by the sender's clock. */
  readonly sentAt: number;
  /** Of the message, for replies and receipts. */
  readonly id?: string;
}

const ENGINE_BYTES = 32;
const MEDIA_TYPE_BYTES = 255;
const CONTENT_ID_BYTES = 64;
const ENGINE = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;[\x20-\x7e]{1,127})?$/;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Throws `bad-envelope` for what `decodeEnvelope` would refuse. */
export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  const bytes = new Writer(envelope.cipherMessage.length + 320)
    .text(1, envelope.engine)
    .text(2, envelope.recipientUser)
    .bytes(3, envelope.cipherMessage)
    .finish();
  decodeEnvelope(bytes);
  return bytes;
}

/** Throws `WireError` `bad-envelope`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const reader = new Reader(bytes, 'bad-envelope');
  let engine = '';
  let recipientUser: AccountAddress | undefined;
  let cipherMessage = NO_BYTES;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        engine = reader.text(ENGINE_BYTES);
        break;
      case 2:
        recipientUser = reader.parsed(parseAccountAddress, LIMITS.deviceIdBytes.value);
        break;
      case 3:
        cipherMessage = reader.bytes(LIMITS.payloadBytes.value);
        break;
      default:
        reader.skip();
    }
  }
  if (!ENGINE.test(engine)) reader.fail('no engine name');
  return { engine, recipientUser: recipientUser ?? reader.fail('no recipient user'), cipherMessage };
}

/** Throws `bad-content` for what `decodeContent` would refuse. */
export function encodeContent(content: Content): Uint8Array<ArrayBuffer> {
  const bytes = new Writer(content.body.length + 320)
    .text(1, content.type)
    .bytes(2, content.body)
    .uint(3, content.sentAt)
    .text(4, content.id ?? '')
    .finish();
  decodeContent(bytes);
  return bytes;
}

/** Throws `WireError` `bad-content`. */
export function decodeContent(bytes: Uint8Array): Content {
  const reader = new Reader(bytes, 'bad-content');
  let type = '';
  let body = NO_BYTES;
  let sentAt = 0;
  let id = '';
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        type = reader.text(MEDIA_TYPE_BYTES);
        break;
      case 2:
        body = reader.bytes(LIMITS.payloadBytes.value);
        break;
      case 3:
        sentAt = reader.uint();
        break;
      case 4:
        id = reader.text(CONTENT_ID_BYTES);
        break;
      default:
        reader.skip();
    }
  }
  if (!MEDIA_TYPE.test(type)) reader.fail('no media type');
  return id === '' ? { type, body, sentAt } : { type, body, sentAt, id };
}

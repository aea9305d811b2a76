/**
 * What clients tell each other through a relay's opaque bytes: `proto/envelope.proto`. The envelope
 * is the shared body of a message, the content its plaintext. Unknown fields are skipped, so that a
 * newer client may add some. Byte fields are views.
 */
import { LIMITS } from './limits.ts';
import { address, bytes, type MessageOf, MessageType, matching, text, uint } from './protobuf/fields.ts';

const ENGINE = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;[\x20-\x7e]{1,127})?$/;

export const ENVELOPE = new MessageType({
  /** What made the parts: `lime`. A client that does not know it cannot read the message, and says so. */
  engine: matching(1, ENGINE, 32),
  /** Account or group that the encryption is bound to (lime-protocol section 8: recipient user id). */
  recipientUser: address(2),
  /** LIME: the cipherMessage. Empty when every part holds the plaintext itself. */
  cipherMessage: bytes(3, LIMITS.payloadBytes.value),
});

export const CONTENT = new MessageType({
  /** Media type (RFC 6838), with parameters if there are any: at most 255 ASCII characters. */
  type: matching(1, MEDIA_TYPE, 255),
  body: bytes(2, LIMITS.payloadBytes.value),
  /** ms since 1970, by the sender's clock. */
  sentAt: uint(3),
  /** Of the message, for replies and receipts. */
  id: text(4, 64),
});

export type Envelope = MessageOf<typeof ENVELOPE>;
export type Content = Omit<MessageOf<typeof CONTENT>, 'id'> & { readonly id?: string };

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
  const bytes = CONTENT.encode({ ...content, id: content.id ?? '' });
  decodeContent(bytes);
  return bytes;
}

/** Throws `WireError` `bad-content`. */
export function decodeContent(bytes: Uint8Array): Content {
  const { id, ...content } = CONTENT.decode(bytes, 'bad-content');
  return id === '' ? content : { ...content, id };
}

/**
 * The body by which Linphone carries a LIME message in a SIP MESSAGE (docs/spec/messages.md section 4): `multipart/encrypted`, with a part
 * for each device and one for all. What is outside the encryption says nothing that is believed of a message; its author is who LIME
 * says that it is. Deflating is the carrier's (`node/content-encoding.ts`).
 */
import { CpimError } from './errors.ts';
import { IMDN_NAMESPACE, isMessageId } from './imdn.ts';
import { headersOf, readCpim } from './message.ts';
import { contentTypeOf, headerOf, type MimeEntity, parseMediaType } from './mime.ts';
import { boundaryOf, boundaryParameter, readMultipart, writeMultipart } from './multipart.ts';
import { formatAddress, parseAddress } from './values.ts';

export interface OuterBody {
  /** URI of the device that sends: LIME's source device. Not authenticated. */
  readonly from: string;
  /** `imdn.Message-ID` of the message inside, if it has one. */
  readonly id?: string;
  /** One ratchet message a device (LIME: `application/lime`), by device id. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
  /** LIME's cipherMessage; absent in the direct form. */
  readonly cipherMessage?: Uint8Array;
}

export interface WrittenBody {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

const PROTOCOL = 'application/lime';
const DEVICE_ID = /^[^\s<>"\p{Cc}\p{Cs}]{1,255}$/u;
/** `atob` judges the rest, and takes some spaces that base64 has not. */
const BASE64 = /^[A-Za-z0-9+/=\r\n\t ]*$/;

const utf8 = new TextEncoder();

/** `boundary`: chosen by the caller, at random. Throws `CpimError` `unwritable`. */
export function writeOuterBody({ from, id, parts, cipherMessage }: OuterBody, boundary: string): WrittenBody {
  if (id !== undefined && !isMessageId(id)) throw new CpimError('unwritable', 'the id of a message is a token');
  const sender = `From: ${formatAddress({ uri: from })}\r\n`;
  // Linphone declares the namespace whether it is used or not.
  const head = `${sender}NS: imdn <${IMDN_NAMESPACE}>\r\n${id === undefined ? '' : `imdn.Message-ID: ${id}\r\n`}`;
  const entities = [
    entity('message/cpim', [], utf8.encode(`${head}\r\nContent-Type: text/plain\r\n\r\n`)),
    entity('message/sipfrag', [], utf8.encode(sender)),
    ...[...parts].map(([device, message]) => {
      if (!DEVICE_ID.test(device)) throw new CpimError('unwritable', `no device id: ${JSON.stringify(device)}`);
      const named = [header('Content-Id', device), header('Content-Description', 'Cipher key')];
      return entity(PROTOCOL, named, base64Of(message));
    }),
    ...(cipherMessage === undefined
      ? []
      : [
          entity(
            'application/octet-stream',
            [header('Content-Description', 'Encrypted message')],
            base64Of(cipherMessage),
          ),
        ]),
  ];
  return {
    contentType: `multipart/encrypted;protocol="${PROTOCOL}";${boundaryParameter(boundary)}`,
    body: writeMultipart(entities, boundary),
  };
}

/** Parts of other types are passed over. Throws `CpimError`: `duplicate` where a device has two parts, or the body two senders. */
export function readOuterBody(contentType: string, body: Uint8Array): OuterBody {
  const { type, parameters } = parseMediaType(contentType);
  if (type !== 'multipart/encrypted' || parameters.get('protocol')?.toLowerCase() !== PROTOCOL)
    throw new CpimError('malformed', 'no multipart/encrypted of LIME');
  const senders: string[] = [];
  const ids: string[] = [];
  const parts = new Map<string, Uint8Array>();
  const shared: Uint8Array[] = [];
  for (const part of readMultipart(body, boundaryOf(contentType))) {
    const { type: partType } = parseMediaType(contentTypeOf(part));
    if (partType === 'message/cpim') {
      const message = readCpim(part.body);
      senders.push(...headersOf(message, { name: 'From' }).map(({ value }) => parseAddress(value).uri));
      ids.push(...headersOf(message, { namespace: IMDN_NAMESPACE, name: 'Message-ID' }).map(({ value }) => value));
    } else if (partType === 'message/sipfrag') senders.push(senderIn(part.body));
    else if (partType === PROTOCOL) {
      const device = headerOf(part, 'content-id')?.replace(/^<(.*)>$/, '$1');
      if (device === undefined || !DEVICE_ID.test(device))
        throw new CpimError('malformed', 'a part of no device: Content-Id is missing');
      if (parts.has(device)) throw new CpimError('duplicate', 'a device has two parts');
      parts.set(device, bytesOf(part.body));
    } else if (partType === 'application/octet-stream') shared.push(bytesOf(part.body));
  }
  const [from] = senders;
  if (from === undefined) throw new CpimError('malformed', 'no part says who sends: message/cpim or message/sipfrag');
  if (new Set(senders).size > 1 || new Set(ids).size > 1 || shared.length > 1)
    throw new CpimError('duplicate', 'two senders, two ids or two encrypted messages in one body');
  const [id] = ids;
  const [cipherMessage] = shared;
  return { from, parts, ...(id && { id }), ...(cipherMessage !== undefined && { cipherMessage }) };
}

function entity(type: string, headers: MimeEntity['headers'], body: Uint8Array): MimeEntity {
  const length = header('Content-Length', String(body.length));
  return { headers: [header('Content-Type', type), ...headers, length], body };
}

function header(name: string, value: string): MimeEntity['headers'][number] {
  return { name, value };
}

/** The `From` of a fragment of SIP (RFC 3420), whose lines need no empty one after them. */
function senderIn(fragment: Uint8Array): string {
  const text = new TextDecoder().decode(fragment.subarray(0, 1_024));
  const [, value] = /^From:[ \t]*([^\r\n]*)/im.exec(text) ?? [];
  if (value === undefined) throw new CpimError('malformed', 'a message/sipfrag without From');
  return parseAddress(value.replace(/>;tag=.*$/, '>')).uri;
}

function base64Of(bytes: Uint8Array): Uint8Array {
  let text = '';
  // In steps: a call has room for so many arguments.
  for (let at = 0; at < bytes.length; at += 4_096) text += String.fromCharCode(...bytes.subarray(at, at + 4_096));
  return utf8.encode(btoa(text));
}

function bytesOf(base64: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(base64);
  if (!BASE64.test(text)) throw notBase64();
  let characters: string;
  try {
    characters = atob(text);
  } catch {
    throw notBase64();
  }
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

function notBase64(): CpimError {
  return new CpimError('malformed', 'a part that should be base64 is not');
}

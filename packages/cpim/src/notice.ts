/** Disposition notifications, `message/imdn+xml` (RFC 5438 sections 7 and 11). */
import { CpimError } from './errors.ts';
import { isMessageId } from './imdn.ts';
import { IMDN_BYTES } from './limits.ts';
import { checkSize } from './mime.ts';
import { formatDateTime, parseDateTime } from './values.ts';
import { readXml, type XmlElement } from './xml.ts';

/** Section 11.2: what each kind of notice may say. */
const STATUSES = {
  delivery: ['delivered', 'failed', 'forbidden', 'error'],
  processing: ['processed', 'stored', 'forbidden', 'error'],
  display: ['displayed', 'forbidden', 'error'],
} as const;
type Kind = keyof typeof STATUSES;

interface NoticeOf<K extends Kind> {
  readonly kind: K;
  readonly status: (typeof STATUSES)[K][number];
  /** `imdn.Message-ID` of the message that it is about. */
  readonly messageId: string;
  /** `DateTime` of that message, ms since 1970. */
  readonly sentAt: number;
  readonly recipient?: string;
  readonly originalRecipient?: string;
  readonly subject?: string;
}

export type ImdnNotice = { [K in Kind]: NoticeOf<K> }[Kind];

const XML_NAMESPACE = 'urn:ietf:params:xml:ns:imdn';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>';
const NO_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const utf8 = new TextEncoder();

/** As Linphone writes it. Throws `CpimError` `unwritable`. */
export function writeNotice(notice: ImdnNotice): Uint8Array {
  const { kind, status, messageId, sentAt, recipient, originalRecipient, subject } = notice;
  if (!isMessageId(messageId)) throw new CpimError('unwritable', 'a notice names a message by a token');
  const children = [
    textElement('message-id', messageId),
    textElement('datetime', formatDateTime(sentAt)),
    textElement('recipient-uri', recipient),
    textElement('original-recipient-uri', originalRecipient),
    textElement('subject', subject),
    `<${kind}-notification><status><${status}/></status></${kind}-notification>`,
  ];
  return utf8.encode(`${DECLARATION}<imdn xmlns="${XML_NAMESPACE}">${children.join('')}</imdn>`);
}

/** What it does not know, such as a reason that Linphone adds to a failure, is passed over. Throws `CpimError`. */
export function readNotice(bytes: Uint8Array): ImdnNotice {
  checkSize(bytes, IMDN_BYTES);
  const root = readXml(bytes);
  // RFC 5438's own figures, and senders that copied them, leave the namespace out.
  const isOurs = ({ namespace }: XmlElement) => namespace === XML_NAMESPACE || namespace === '';
  if (root.name !== 'imdn' || !isOurs(root)) throw new CpimError('malformed', 'no notice: its root is another element');
  const only = (parent: XmlElement, name: string) => {
    const found = parent.children.filter((child) => child.name === name && isOurs(child));
    if (found.length > 1) throw new CpimError('duplicate', `${name} comes twice in a notice`);
    return found[0];
  };
  const kinds = (Object.keys(STATUSES) as Kind[]).filter((kind) => only(root, `${kind}-notification`));
  const kind = kinds[0];
  const messageId = only(root, 'message-id')?.text.trim();
  const sentAt = only(root, 'datetime')?.text.trim();
  if (kinds.length !== 1 || kind === undefined || !messageId || sentAt === undefined)
    throw new CpimError('malformed', 'a notice has a message-id, a datetime and one kind of notification');
  const status = statusIn(only(only(root, `${kind}-notification`)!, 'status'), kind);
  const recipient = only(root, 'recipient-uri')?.text.trim();
  const originalRecipient = only(root, 'original-recipient-uri')?.text.trim();
  const subject = only(root, 'subject')?.text;
  return {
    kind,
    status,
    messageId,
    sentAt: parseDateTime(sentAt),
    ...(recipient !== undefined && { recipient }),
    ...(originalRecipient !== undefined && { originalRecipient }),
    ...(subject !== undefined && { subject }),
  } as ImdnNotice;
}

function statusIn(element: XmlElement | undefined, kind: Kind): string {
  const known = (element?.children ?? []).filter(({ name }) => STATUSES[kind].some((status) => status === name));
  if (known.length !== 1) throw new CpimError('malformed', `a ${kind} notification has one status of its own`);
  return known[0]!.name;
}

function textElement(name: string, text: string | undefined): string {
  if (text === undefined) return '';
  if (NO_XML.test(text)) throw new CpimError('unwritable', `${name}: a character that XML cannot have`);
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
  return `<${name}>${escaped}</${name}>`;
}

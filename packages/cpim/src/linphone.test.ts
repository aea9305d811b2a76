/** What a real Linphone 5.3 wrote (vectors/linphone-5.3.json; docs/spec/messages.md section 3): read, and written again byte for byte. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type ChatMessage, readChatMessage, writeChatMessage } from './chat-message.ts';
import { headersOf, readCpim } from './message.ts';
import { contentTypeOf } from './mime.ts';
import { boundaryOf, boundaryParameter, readMultipart, writeMultipart } from './multipart.ts';
import { readNotice, writeNotice } from './notice.ts';
import { readOuterBody, writeOuterBody } from './outer-body.ts';

interface Sample {
  readonly from: string;
  readonly to: string;
  readonly outer: string;
  readonly plain: string;
}

const { messages } = JSON.parse(readFileSync(new URL('../vectors/linphone-5.3.json', import.meta.url), 'utf8')) as {
  messages: Sample[];
};
const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const read = (index: number) => readChatMessage(utf8(messages[index]!.plain));
const sentAt = (second: number) => Date.UTC(2026, 10, 28, 11, 42, second);
const ALL = ['positive-delivery', 'negative-delivery', 'display'];
const ALICE = 'sip:alice@example.org;gr=urn:uuid:a0000000-0000-4000-8000-000000000002';

it('there are six samples', () => expect(messages).toHaveLength(6));

describe.each(messages.map((message, index) => [index, message] as const))('sample %i', (_index, sample) => {
  it('is written again byte for byte', () => {
    expect(textOf(writeChatMessage(readChatMessage(utf8(sample.plain))))).toBe(sample.plain);
  });

  it('names sender and addressee', () => {
    expect(readChatMessage(utf8(sample.plain))).toMatchObject({ from: sample.from, to: sample.to });
  });

  it('has the outer message that goes with it', () => {
    const { id } = headersOf(readCpim(utf8(sample.outer)), { namespace: 'urn:ietf:params:imdn', name: 'Message-ID' })
      .map(({ value }) => ({ id: value }))
      .concat([{ id: '' }])[0]!;
    const message = { from: sample.from, ...(id && { id }), parts: new Map([['sip:bob@example.org;gr=1', utf8('x')]]) };
    const { contentType, body } = writeOuterBody(message, 'b');
    const [outer] = readMultipart(body, 'b');
    expect(textOf(outer!.body)).toBe(sample.outer);
    expect(readOuterBody(contentType, body)).toEqual(message);
  });
});

describe('each kind', () => {
  it('a text', () => {
    expect(read(0)).toMatchObject({ id: 'c7Or9sbKscLc', sentAt: sentAt(10), requests: ALL, type: 'text/plain' });
    expect(textOf(read(0).body)).toBe('plain text after the snapshot ü 😀');
  });

  it.each([1, 4])('a notice: sample %i', (index) => {
    const message = read(index);
    expect(message).toMatchObject({ type: 'message/imdn+xml' });
    const notice = readNotice(message.body);
    expect(notice).toMatchObject({ kind: 'display', status: 'displayed' });
    expect(textOf(writeNotice(notice))).toBe(textOf(message.body));
  });

  it('a reaction', () => {
    expect(read(2)).toMatchObject({ reactionTo: 'c7Or9sbKscLc', type: 'text/plain', body: utf8('❤️') });
  });

  it('a reply', () => {
    expect(read(3)).toMatchObject({ id: 'sN9zJfaNsem6', reply: { id: 'c7Or9sbKscLc', sender: ALICE } });
  });

  it('a message of two parts', () => {
    const { type, body } = read(5);
    const boundary = boundaryOf(type);
    const parts = readMultipart(body, boundary);
    expect(parts.map(({ body: part }) => textOf(part))).toEqual(['part one', 'part two']);
    expect(parts.map(contentTypeOf)).toEqual(['text/plain', 'text/plain']);
    expect(`multipart/mixed;${boundaryParameter(boundary)}`).toBe(type);
    expect(textOf(writeMultipart(parts, boundary))).toBe(textOf(body));
  });

  it('a short life, as its sources have it', () => {
    const message: ChatMessage = {
      from: ALICE,
      to: 'sip:bob@example.org',
      sentAt: sentAt(12),
      id: 'qw9T4v0Lkapv',
      requests: ['positive-delivery', 'negative-delivery', 'display'],
      lifetime: 60,
      type: 'text/plain',
      body: utf8('gone soon'),
    };
    const written = writeChatMessage(message);
    expect(textOf(written)).toContain(
      'display\r\nNS: linphone <tag:linphone.org,2020:params:groupchat>\r\nlinphone.Ephemeral-Time: 60\r\n\r\n',
    );
    expect(readChatMessage(written)).toEqual(message);
  });

  it('a failure, which comes unencrypted and with a reason of Linphone’s own', () => {
    const xml =
      '<?xml version="1.0" encoding="UTF-8" standalone="no" ?><imdn xmlns="urn:ietf:params:xml:ns:imdn" xmlns:imdn="http://www.linphone.org/xsds/imdn.xsd"><message-id>c7Or9sbKscLc</message-id><datetime>2026-11-28T11:42:10Z</datetime><delivery-notification><status><error/></status></delivery-notification><imdn:reason code="488">Not Acceptable</imdn:reason></imdn>';
    expect(readNotice(utf8(xml))).toEqual({
      kind: 'delivery',
      status: 'error',
      messageId: 'c7Or9sbKscLc',
      sentAt: sentAt(10),
    });
  });
});

/** The 23 variants that were sent to it: what it shows is read here, what it does not show is refused or at least never written. */
describe('what a running Linphone shows when others make the message', () => {
  const TEXT = messages[0]!.plain;
  it.each([
    ['no imdn headers', TEXT.replace(/^NS:.*\r\nimdn.*\r\nimdn.*\r\n/m, '')],
    ['another To', TEXT.replace(/^To: .*$/m, 'To: <sip:carol@example.org>')],
    ['no DateTime', TEXT.replace(/^DateTime: .*\r\n/m, '')],
    ['milliseconds', TEXT.replace('42:10Z', '42:10.123Z')],
    ['an offset', TEXT.replace('42:10Z', '42:10+02:00')],
    ['no inner Content-Length', TEXT.replace(/^Content-Length: .*\r\n/m, '')],
    [
      'an unknown namespace and header',
      TEXT.replace('NS: imdn', 'NS: x <urn:x:y>\r\nx.Thing: 1\r\nOther: 2\r\nNS: imdn'),
    ],
    ['From without gr', TEXT.replace(/;gr=urn:uuid:a0.*>/, '>')],
    ['a charset', TEXT.replace('text/plain', 'text/plain; charset=utf-8')],
  ])('%s: read', (_name, plain) => {
    expect(plain).not.toBe(TEXT);
    expect(textOf(readChatMessage(utf8(plain)).body)).toBe('plain text after the snapshot ü 😀');
  });

  it.each([
    ['no To', TEXT.replace(/^To: .*\r\n/m, '')],
    ['bare LF', TEXT.replaceAll('\r\n', '\n')],
    ['bare text', 'hello'],
  ])('%s: refused', (_name, plain) => {
    expect(() => readChatMessage(utf8(plain))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

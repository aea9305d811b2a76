/** The examples of RFC 3862 and RFC 5438. */
import { describe, expect, it } from '@jest/globals';
import { readChatMessage, writeChatMessage } from './chat-message.ts';
import { headersOf, readCpim, writeCpim } from './message.ts';
import { contentTypeOf, headerOf } from './mime.ts';
import { readNotice, writeNotice } from './notice.ts';
import { escapeText, formatAddress, parseAddress, parseDateTime, unescapeText } from './values.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const lines = (...all: string[]) => utf8(all.join('\r\n'));

describe('RFC 3862', () => {
  const EXAMPLE = lines(
    'From: MR SANDERS <im:piglet@100akerwood.com>',
    'To: Depressed Donkey <im:eeyore@100akerwood.com>',
    'DateTime: 2000-12-13T13:40:00-08:00',
    'Subject: the weather will be fine today',
    "Subject:;lang=fr beau temps prevu pour aujourd'hui",
    'NS: MyFeatures <mid:MessageFeatures@id.foo.com>',
    'Require: MyFeatures.VitalMessageOption',
    'MyFeatures.VitalMessageOption: Confirmation-requested',
    'MyFeatures.WackyMessageOption: Use-silly-font',
    '',
    'Content-type: text/xml; charset=utf-8',
    'Content-ID: <1234567890@foo.com>',
    '',
    '<body>',
    'Here is the text of my message.',
    '</body>',
  );
  const message = readCpim(EXAMPLE);
  const valuesOf = (name: string) => headersOf(message, { name }).map(({ value }) => value);

  it('section 5.1: sender, addressee, time, subjects in two languages', () => {
    expect(valuesOf('From').map(parseAddress)).toEqual([{ name: 'MR SANDERS', uri: 'im:piglet@100akerwood.com' }]);
    expect(valuesOf('To').map(parseAddress)).toEqual([{ name: 'Depressed Donkey', uri: 'im:eeyore@100akerwood.com' }]);
    expect(valuesOf('DateTime').map(parseDateTime)).toEqual([Date.UTC(2000, 11, 13, 21, 40)]);
    expect(headersOf(message, { name: 'Subject' })).toEqual([
      { name: 'Subject', value: 'the weather will be fine today' },
      { name: 'Subject', language: 'fr', value: "beau temps prevu pour aujourd'hui" },
    ]);
  });

  it('section 5.1: the namespace of its features, and what it requires', () => {
    const vital = { namespace: 'mid:MessageFeatures@id.foo.com', name: 'VitalMessageOption' };
    expect(message.required).toEqual([vital]);
    expect(headersOf(message, vital)).toEqual([{ ...vital, prefix: 'MyFeatures', value: 'Confirmation-requested' }]);
    expect(() => readChatMessage(EXAMPLE)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('section 5.1: the content', () => {
    expect(contentTypeOf(message.content)).toBe('text/xml; charset=utf-8');
    expect(headerOf(message.content, 'content-id')).toBe('<1234567890@foo.com>');
    expect(textOf(message.content.body)).toBe('<body>\r\nHere is the text of my message.\r\n</body>');
  });

  it('section 5.1: what is written of it is read as the same', () => {
    // `Require` names its header by a prefix, which is declared before it.
    const headers = message.headers.filter(({ name }) => name !== 'Require');
    const { required, ...again } = readCpim(writeCpim({ headers, content: message.content }));
    expect({ required, ...again }).toEqual({ required: [], headers, content: message.content });
  });

  it('section 3.4: a prefix means what was declared last, and nothing before that', () => {
    const { headers } = readCpim(
      lines(
        'a.First: not known yet',
        'NS: a <urn:one>',
        'a.Second: 1',
        'NS: a <urn:two>',
        'a.Second: 2',
        'NS: <urn:three>',
        'Third: 3',
        'NS: core <urn:ietf:params:cpim-headers:>',
        'core.From: <im:pooh@100akerwood.com>',
        '',
        '',
        '',
      ),
    );
    expect(headers).toEqual([
      { namespace: 'urn:one', prefix: 'a', name: 'Second', value: '1' },
      { namespace: 'urn:two', prefix: 'a', name: 'Second', value: '2' },
      { namespace: 'urn:three', name: 'Third', value: '3' },
      { prefix: 'core', name: 'From', value: '<im:pooh@100akerwood.com>' },
    ]);
  });

  it('names are told apart by case (section 3.1)', () => {
    const message = readCpim(lines('from: <im:a@example.com>', 'From: <im:b@example.com>', '', '', ''));
    expect(headersOf(message, { name: 'From' }).map(({ value }) => value)).toEqual(['<im:b@example.com>']);
  });

  it('escapes (section 2.3)', () => {
    expect(unescapeText('tab\\t, line\\r\\n, bell\\u0007, quote\\", \\\\, \\q')).toBe(
      'tab\t, line\r\n, bell\u0007, quote", \\, q',
    );
    expect(escapeText('tab\t, line\r\n, bell\u0007, \\')).toBe('tab\\t, line\\r\\n, bell\\u0007, \\\\');
  });

  it('a formal name in quotes (section 4.1)', () => {
    const winnie = { name: 'Winnie "the" <Pooh> \\ \n', uri: 'im:pooh@100akerwood.com' };
    expect(formatAddress(winnie)).toBe('"Winnie \\"the\\" <Pooh> \\\\ \\n" <im:pooh@100akerwood.com>');
    expect(parseAddress(formatAddress(winnie))).toEqual(winnie);
    expect(parseAddress('<im:tigger@100akerwood.com>')).toEqual({ uri: 'im:tigger@100akerwood.com' });
  });
});

describe('RFC 5438', () => {
  const MESSAGE = lines(
    'From: Alice <im:alice@example.com>',
    'To: Bob <im:bob@example.com>',
    'NS: imdn <urn:ietf:params:imdn>',
    'imdn.Message-ID: 34jk324j',
    'DateTime: 2006-04-04T12:16:49-05:00',
    'imdn.Disposition-Notification: positive-delivery, negative-delivery',
    '',
    'Content-type: text/plain',
    'Content-length: 12',
    '',
    'Hello World\n',
  );

  it('a message that asks for notices of its delivery', () => {
    expect(readChatMessage(MESSAGE)).toEqual({
      from: 'im:alice@example.com',
      to: 'im:bob@example.com',
      id: '34jk324j',
      sentAt: Date.UTC(2006, 3, 4, 17, 16, 49),
      requests: ['positive-delivery', 'negative-delivery'],
      type: 'text/plain',
      body: utf8('Hello World\n'),
    });
  });

  const NOTICE = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<imdn xmlns="urn:ietf:params:xml:ns:imdn">',
    '  <message-id>34jk324j</message-id>',
    '  <datetime>2008-04-04T12:16:49-05:00</datetime>',
    '  <recipient-uri>im:bob@example.com</recipient-uri>',
    '  <original-recipient-uri>im:bob@example.com</original-recipient-uri>',
    '  <subject>Project Tomorrow</subject>',
    '  <delivery-notification>',
    '    <status>',
    '      <delivered/>',
    '    </status>',
    '  </delivery-notification>',
    '</imdn>',
  ].join('\r\n');
  const read = {
    kind: 'delivery',
    status: 'delivered',
    messageId: '34jk324j',
    sentAt: Date.UTC(2008, 3, 4, 17, 16, 49),
    recipient: 'im:bob@example.com',
    originalRecipient: 'im:bob@example.com',
    subject: 'Project Tomorrow',
  } as const;

  it('a notice of delivery, with a namespace or without', () => {
    expect(readNotice(utf8(NOTICE))).toEqual(read);
    expect(readNotice(utf8(NOTICE.replace(/ xmlns="[^"]*"/, '')))).toEqual(read);
    expect(readNotice(writeNotice(read))).toEqual(read);
  });

  it.each([
    ['delivery', 'delivered'],
    ['delivery', 'failed'],
    ['delivery', 'forbidden'],
    ['delivery', 'error'],
    ['processing', 'processed'],
    ['processing', 'stored'],
    ['processing', 'forbidden'],
    ['processing', 'error'],
    ['display', 'displayed'],
    ['display', 'forbidden'],
    ['display', 'error'],
  ])('a notice of %s: %s', (kind, status) => {
    const notice = { kind, status, messageId: 'x', sentAt: 0 } as Parameters<typeof writeNotice>[0];
    expect(textOf(writeNotice(notice))).toContain(
      `<${kind}-notification><status><${status}/></status></${kind}-notification>`,
    );
    expect(readNotice(writeNotice(notice))).toEqual(notice);
  });

  it('headers for stores on the way (sections 6.4 to 6.6)', () => {
    const message = {
      ...readChatMessage(MESSAGE),
      originalTo: 'im:group@example.com',
      recordRoutes: ['im:store1@example.com', 'im:store2@example.com'],
      routes: ['im:store3@example.com'],
    };
    const written = writeChatMessage(message);
    expect(textOf(written)).toContain(
      'imdn.Original-To: <im:group@example.com>\r\nimdn.IMDN-Record-Route: <im:store1@example.com>\r\nimdn.IMDN-Record-Route: <im:store2@example.com>\r\nimdn.IMDN-Route: <im:store3@example.com>\r\n',
    );
    expect(readChatMessage(written)).toEqual(message);
  });

  it('a notice asks for none: else two devices would write to each other for ever', () => {
    const asking = textOf(MESSAGE)
      .replace('Content-type: text/plain', 'Content-type: message/imdn+xml')
      .replace('negative-delivery', 'display');
    expect(readChatMessage(utf8(asking))).not.toHaveProperty('requests');
    const message = { ...readChatMessage(MESSAGE), type: 'Message/IMDN+xml; charset=utf-8' };
    expect(() => writeChatMessage(message)).toThrow(expect.objectContaining({ code: 'unwritable' }));
  });

  it('without an id nothing can be told of, so nothing is asked for', () => {
    const { id: _id, ...nameless } = readChatMessage(MESSAGE);
    expect(() => writeChatMessage(nameless)).toThrow(expect.objectContaining({ code: 'unwritable' }));
    const read = readChatMessage(utf8(textOf(MESSAGE).replace(/^imdn.Message-ID.*\r\n/m, '')));
    expect(read).not.toHaveProperty('requests');
  });
});

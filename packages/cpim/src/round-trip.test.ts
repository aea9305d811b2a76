/** Write, then read: the same. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChatMessage, readChatMessage, writeChatMessage } from './chat-message.ts';
import { DISPOSITIONS } from './imdn.ts';
import { type CpimHeader, readCpim, writeCpim } from './message.ts';
import { readMultipart, writeMultipart } from './multipart.ts';
import { deflateBody, inflateBody } from './node/content-encoding.ts';
import { type ImdnNotice, readNotice, writeNotice } from './notice.ts';
import { readOuterBody, writeOuterBody } from './outer-body.ts';
import { escapeText, formatAddress, formatDateTime, parseAddress, parseDateTime, unescapeText } from './values.ts';

const RUNS = { seed: 5438, numRuns: 300 };
const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const token = fc.stringMatching(/^[!#$%&'*+\-^_`|~0-9A-Za-z]{1,20}$/);
const messageId = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}$/);
const uri = fc.stringMatching(/^sip:[a-z0-9.;=é\\-]{1,30}@[a-z0-9.]{1,20}$/);
const body = fc.uint8Array({ maxLength: 200 });
const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
const mediaType = fc.stringMatching(/^[a-z]{1,10}\/[a-z+.-]{1,10}(; ?[a-z]{1,5}=[a-z0-9]{1,5})?$/);
/** Without those that are undefined. */
const record = <T>(required: { [K in keyof T]: fc.Arbitrary<T[K]> }, keys: (keyof T)[]) =>
  fc.record(required, { requiredKeys: keys as never }) as unknown as fc.Arbitrary<T>;

const chatMessage: fc.Arbitrary<ChatMessage> = record<Required<ChatMessage>>(
  {
    from: uri,
    to: uri,
    sentAt: time,
    id: messageId,
    requests: fc.subarray([...DISPOSITIONS], { minLength: 1 }),
    originalTo: uri,
    recordRoutes: fc.array(uri, { minLength: 1, maxLength: 3 }),
    routes: fc.array(uri, { minLength: 1, maxLength: 3 }),
    reply: fc.record({ id: messageId, sender: uri }),
    reactionTo: messageId,
    lifetime: fc.integer({ min: 1, max: 366 * 86_400 }),
    type: mediaType,
    body,
  },
  ['from', 'to', 'type', 'body'],
).filter(({ id, requests }) => id !== undefined || requests === undefined);

describe('is read as it was written', () => {
  it('any text, by escapes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          expect(unescapeText(escapeText(text))).toBe(text);
          expect(escapeText(text)).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        },
      ),
      RUNS,
    );
  });

  it('an address with any name', () => {
    fc.assert(
      fc.property(anyText, uri, (name, address) => {
        expect(parseAddress(formatAddress({ name, uri: address }))).toEqual({ name, uri: address });
      }),
      RUNS,
    );
  });

  it('any time of four-digit years', () => {
    fc.assert(
      fc.property(time, (ms) => {
        expect(parseDateTime(formatDateTime(ms))).toBe(ms);
      }),
      RUNS,
    );
  });

  it('any headers of any namespaces, and any body', () => {
    const header = fc.record(
      {
        namespace: fc.constantFrom('urn:one', 'urn:two', 'urn:ietf:params:imdn'),
        prefix: fc.constantFrom('a', 'b'),
        name: token.filter((name) => name !== 'NS'),
        language: fc.constantFrom('fr', 'de-CH'),
        value: anyText.map(escapeText),
      },
      { requiredKeys: ['name', 'value'] },
    );
    // A header of the core namespace with a prefix, or twice the author, is another test's.
    const headers = fc
      .array(header as fc.Arbitrary<CpimHeader>, { maxLength: 12 })
      .filter((all) => all.every(({ name }) => !['From', 'DateTime', 'Require'].includes(name)));
    const content = fc.record({
      headers: fc.array(
        fc.record({ name: token.map((name) => `X-${name}`), value: fc.stringMatching(/^[!-~é]{0,20}$/) }),
        {
          maxLength: 5,
        },
      ),
      body,
    });
    fc.assert(
      fc.property(headers, content, (all, entity) => {
        const message = { headers: all, content: entity };
        expect(readCpim(writeCpim(message))).toEqual({ ...message, required: [] });
      }),
      RUNS,
    );
  });

  it('any chat message, and written again byte for byte', () => {
    fc.assert(
      fc.property(chatMessage, (message) => {
        const written = writeChatMessage(message);
        expect(readChatMessage(written)).toEqual(message);
        expect(writeChatMessage(readChatMessage(written))).toEqual(written);
      }),
      RUNS,
    );
  });

  it('any notice', () => {
    const kind = fc.constantFrom(
      { kind: 'delivery', status: 'failed' },
      { kind: 'processing', status: 'stored' },
      { kind: 'display', status: 'displayed' },
    );
    const subject = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `${text}<&>"'\r\n\t]]>`);
    const details = fc.record({ recipient: uri, originalRecipient: uri, subject }, { requiredKeys: [] });
    fc.assert(
      fc.property(kind, messageId, time, details, (said, id, sentAt, rest) => {
        const notice = { ...said, messageId: id, sentAt, ...rest } as ImdnNotice;
        expect(readNotice(writeNotice(notice))).toEqual(notice);
      }),
      RUNS,
    );
  });

  it('any parts under any boundary that is in none of them', () => {
    const boundary = fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{1,70}$/);
    const part = fc.record({ headers: fc.constant([{ name: 'Content-Type', value: 'a/b' }]), body });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), boundary, (parts, line) => {
        expect(readMultipart(writeMultipart(parts, line), line)).toEqual(parts);
      }),
      RUNS,
    );
  });

  it('any outer body, deflated or not', () => {
    const parts = fc
      .uniqueArray(fc.tuple(uri, body), { maxLength: 5, selector: ([device]) => device })
      .map((all) => new Map(all));
    const message = fc.record(
      { from: uri, parts, id: messageId, cipherMessage: body },
      { requiredKeys: ['from', 'parts'] },
    );
    fc.assert(
      fc.property(message, token, (said, boundary) => {
        const { contentType, body: written } = writeOuterBody(said, boundary.replaceAll(/[^0-9A-Za-z]/g, 'x'));
        expect(readOuterBody(contentType, inflateBody(deflateBody(written)))).toEqual(said);
      }),
      RUNS,
    );
  });
});

describe('the strict writer', () => {
  const MESSAGE: ChatMessage = { from: 'sip:a@b', to: 'sip:c@d', type: 'text/plain', body: new Uint8Array(0) };
  it.each<[string, Partial<ChatMessage>]>([
    ['a line end in an address', { from: 'sip:a@b>\r\nFrom: <sip:eve@b' }],
    ['an address without a scheme', { to: 'bob' }],
    ['a line end in the type', { type: 'text/plain\r\nContent-Type: text/html' }],
    ['outer space in the type', { type: 'text/plain ' }],
    ['an id that is no token', { id: 'a b' }],
    ['an empty id', { id: '' }],
    ['a reaction to what is no token', { reactionTo: 'a\r\nb' }],
    ['a reply to what is no token', { reply: { id: '', sender: 'sip:a@b' } }],
    ['a time that RFC 3339 cannot write', { sentAt: 253_402_300_800_000 }],
    ['a time of no number', { sentAt: Number.NaN }],
    ['a lifetime of nothing', { lifetime: 0 }],
    ['a lifetime of part of a second', { lifetime: 0.5 }],
    ['a message that is too large', { body: new Uint8Array(128 * 1024) }],
  ])('refuses %s', (_name, fault) => {
    expect(() => writeChatMessage({ ...MESSAGE, ...fault })).toThrow(expect.objectContaining({ code: 'unwritable' }));
  });

  it.each<[string, CpimHeader]>([
    ['a name with a space', { name: 'a b', value: '' }],
    ['a namespace of its own making', { name: 'NS', value: 'x <urn:x>' }],
    ['a line end in a value', { name: 'Subject', value: 'a\r\nFrom: <sip:eve@b>' }],
    ['an escape of nothing', { name: 'Subject', value: 'a\\' }],
    ['half a surrogate pair', { name: 'Subject', value: '\ud800' }],
    ['no language tag', { name: 'Subject', language: 'fr x', value: 'a' }],
    ['a namespace that is no URI', { namespace: 'urn x', prefix: 'x', name: 'a', value: 'a' }],
  ])('refuses %s in a header', (_name, header) => {
    const content = { headers: [], body: new Uint8Array(0) };
    expect(() => writeCpim({ headers: [header], content })).toThrow(expect.objectContaining({ code: 'unwritable' }));
  });
});

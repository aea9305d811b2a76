/** Content becomes CPIM and comes back the same; CPIM of others becomes content and goes out again byte for byte. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readChatMessage, writeChatMessage } from '@sealwire/cpim/chat-message';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { type Content, decodeContent, encodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import fc from 'fast-check';
import { CPIM_TYPE, decodeCpim, encodeCpim, isOf, shownOf } from './cpim-content.ts';
import { plaintextOf } from './plaintext.ts';

const RUNS = { seed: 3862, numRuns: 300 };
const ME = parseDeviceId('sip:alice@example.org;gr=urn:uuid:a0000000-0000-4000-8000-000000000002');
const ALICE = parseAccountAddress('sip:alice@example.org');
const BOB = parseAccountAddress('sip:bob@example.org');
const utf8 = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const number = fc.integer({ min: 2, max: 2 ** 40 });
const link = fc
  .record({ number, hasPrevious: fc.boolean(), digest: bytes(16), newcomers: fc.array(bytes(8), { maxLength: 4 }) })
  .map(({ number: own, hasPrevious, digest, newcomers }) => ({
    number: own,
    newcomers,
    ...(hasPrevious && { previous: { number: own - 1, digest } }),
  }));
const receipts = fc.array(
  fc.record({
    device: bytes(8),
    number,
    digest: bytes(16),
    missing: fc.constantFrom([], [{ first: 1, last: 1 }]),
    displayed: fc.nat(2),
  }),
  { minLength: 1, maxLength: 3 },
);
const ids = fc.array(bytes(16), { minLength: 1, maxLength: 3 });
/** A message that an application made itself, as a reply. */
const cpim = fc
  .record({
    from: fc.constantFrom<string>(ME, ALICE, BOB),
    to: fc.constant<string>(BOB),
    type: fc.constantFrom('text/plain', CPIM_TYPE),
    body: fc.uint8Array({ maxLength: 40 }),
    id: fc.stringMatching(/^[a-z]{1,5}$/),
  })
  .map((message) => writeChatMessage({ ...message, reply: { id: 'x', sender: BOB } }));
const anyContent: fc.Arbitrary<Content> = fc
  .record(
    {
      made: fc.oneof(
        fc.record({
          type: fc.constantFrom('text/plain', 'text/plain; charset=utf-8 ', 'a/b;;;', RECEIPT_TYPE, CPIM_TYPE),
          body: fc.uint8Array({ maxLength: 100 }),
        }),
        cpim.map((body) => ({ type: CPIM_TYPE, body })),
      ),
      sentAt: fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.constant(Number.MAX_SAFE_INTEGER)),
      id: fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{22}$/), fc.string({ minLength: 1, maxLength: 10 })),
      link,
      receipts,
      unread: ids,
      gone: ids,
      moot: ids,
      again: bytes(16),
      requests: fc.integer({ min: 1, max: 40 }),
    },
    { requiredKeys: ['made', 'sentAt'] },
  )
  .map(({ made, ...rest }) => ({ ...made, ...rest }) as Content);

describe('a content', () => {
  it('is the same after it was CPIM, whatever it holds', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const read = decodeCpim(encodeCpim(content, ME, BOB));
        expect(encodeContent(read.content)).toEqual(encodeContent(content));
        expect(isOf(read.from, ALICE)).toBe(true);
      }),
      RUNS,
    );
  });

  it('asks a LIME device by the headers of RFC 5438 for what it asks ours for, with no header of ours', () => {
    const content = { type: 'text/plain', body: utf8('hi'), sentAt: 0, id: 'abc', requests: 1 + 2 + 8 };
    const written = encodeCpim(content, ME, BOB);
    expect(textOf(written)).toContain(
      'imdn.Disposition-Notification: positive-delivery, negative-delivery, display\r\n',
    );
    expect(textOf(written)).not.toContain('sealwire');
    expect(decodeCpim(written).content).toEqual(content);
    const requests = ['positive-delivery', 'negative-delivery', 'display'];
    expect(shownOf(content, ALICE)).toMatchObject({ type: 'text/plain', requests });
  });

  it('of a text and nothing else is what Linphone shows, without a word of ours', () => {
    const content = { type: 'text/plain', body: utf8('grüße'), sentAt: Date.UTC(2026, 10, 28), id: 'abc' };
    expect(textOf(encodeCpim(content, ME, BOB))).toBe(
      [
        `From: <${ME}>`,
        `To: <${BOB}>`,
        'DateTime: 2026-11-28T00:00:00Z',
        'NS: imdn <urn:ietf:params:imdn>',
        'imdn.Message-ID: abc',
        '',
        'Content-Type: text/plain',
        'Content-Length: 7',
        '',
        'grüße',
      ].join('\r\n'),
    );
  });

  it('with a place in a chain is the same to Linphone, with one header more that it passes over', () => {
    const content = {
      type: 'text/plain',
      body: utf8('hello'),
      sentAt: 1,
      id: 'abc',
      link: { number: 7, newcomers: [] },
    };
    const written = encodeCpim(content, ME, BOB);
    expect(textOf(written)).toMatch(
      /NS: sealwire <urn:x-sealwire:content>\r\nsealwire.Content: [\w-]+\r\n\r\nContent-Type/,
    );
    expect(readChatMessage(written)).toMatchObject({ from: ME, to: BOB, id: 'abc', sentAt: 1, body: utf8('hello') });
    expect(decodeCpim(written).content).toEqual(content);
  });

  it('that is a CPIM message of its account goes out as that message', () => {
    const body = writeChatMessage({ from: ME, to: BOB, type: 'text/plain', body: utf8('❤️'), reactionTo: 'abc' });
    const content = { type: CPIM_TYPE, body, sentAt: 1, id: 'def', link: { number: 7, newcomers: [] } };
    const written = encodeCpim(content, ME, BOB);
    expect(readChatMessage(written)).toMatchObject({ reactionTo: 'abc', type: 'text/plain', body: utf8('❤️') });
    expect(decodeCpim(written).content).toEqual(content);
    expect(shownOf(content, ALICE)).toEqual({ type: 'text/plain', body: utf8('❤️'), reactionTo: 'abc' });
  });

  it('that is a CPIM message of somebody else stays a thing that is sent, and is not shown as ours', () => {
    const body = writeChatMessage({ from: BOB, to: ALICE, type: 'text/plain', body: utf8('pay Eve') });
    const content = { type: CPIM_TYPE, body, sentAt: 1, id: 'def' };
    const written = encodeCpim(content, ME, BOB);
    expect(readChatMessage(written)).toMatchObject({ from: ME, type: CPIM_TYPE });
    expect(decodeCpim(written)).toEqual({ content, from: ME });
    expect(shownOf(content, ALICE)).toEqual({ type: CPIM_TYPE, body });
  });

  it.each([
    ['another type', 'Content-Type: text/plain', 'Content-Type: text/html'],
    ['another time', 'DateTime: 1970', 'DateTime: 1971'],
    ['another id', 'Message-ID: abc', 'Message-ID: abd'],
  ])('that says %s in its own header than to others is refused', (_name, said, other) => {
    const content = { type: 'text/plain', body: utf8('a'), sentAt: 1, id: 'abc', link: { number: 7, newcomers: [] } };
    const written = textOf(encodeCpim(content, ME, BOB));
    expect(written).toContain(said);
    expect(() => decodeCpim(utf8(written.replace(said, other)))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });
});

it('the largest text has room for the longest names and a place in a chain of two accounts of ten devices', () => {
  const id = 'A'.repeat(64);
  const largest = 72 * 1_024;
  const plaintext = plaintextOf({ type: `a/b;${'x'.repeat(127)}`, body: new Uint8Array(largest) }, id, 2 ** 42);
  expect(() => plaintextOf({ type: 'a/b', body: new Uint8Array(largest + 1) }, id, 1)).toThrow('at most 73728 bytes');
  const tag = new Uint8Array(8).fill(255);
  const digest = new Uint8Array(16).fill(255);
  const missing = [1, 3, 5, 7].map((n) => ({ first: 2 ** 40 + n, last: 2 ** 40 + n }));
  const content: Content = {
    ...decodeContent(plaintext),
    link: { number: 2 ** 42, previous: { number: 2 ** 41, digest }, newcomers: Array(20).fill(tag) },
    receipts: Array(8).fill({ device: tag, number: 2 ** 42, digest, missing, displayed: 2 ** 42 }),
  };
  const account = `sip:${'a'.repeat(64)}@${'b'.repeat(120)}`;
  const from = parseDeviceId(`${account};gr=${'c'.repeat(60)}`);
  const written = encodeCpim(content, from, parseAccountAddress(account));
  // The first message of a session on the largest suite.
  const part = 4_900;
  expect(written.length + part).toBeLessThan(LIMITS.payloadBytes.value);
});

describe('a message of Linphone', () => {
  const samples = new URL('../../../cpim/vectors/linphone-5.3.json', import.meta.url);
  const { messages } = JSON.parse(readFileSync(samples, 'utf8')) as {
    messages: { from: string; to: string; plain: string }[];
  };

  it.each(messages.map(({ from, to, plain }, i) => [i, from, to, plain] as const))(
    'is content, and goes out again byte for byte: sample %i',
    (_i, from, to, plain) => {
      const read = decodeCpim(utf8(plain));
      expect(read.from).toBe(from);
      expect(textOf(encodeCpim(read.content, parseDeviceId(from), to as AccountAddress))).toBe(plain);
    },
  );

  it('is shown as what is in it', () => {
    const shown = messages.map(({ from, plain }) =>
      shownOf(decodeCpim(utf8(plain)).content, parseAccountAddress(from.slice(0, from.indexOf(';')))),
    );
    const requests = ['positive-delivery', 'negative-delivery', 'display'];
    expect(shown.map(({ body: _, ...rest }) => rest)).toEqual([
      { type: 'text/plain', requests },
      { type: 'message/imdn+xml' },
      { type: 'text/plain', reactionTo: 'c7Or9sbKscLc' },
      { type: 'text/plain', requests, reply: { id: 'c7Or9sbKscLc', sender: ME } },
      { type: 'message/imdn+xml' },
      { type: expect.stringMatching(/^multipart\/mixed;boundary=/), requests },
    ]);
  });
});

it('a URI is of the account itself, or of a device of it, and of no longer name', () => {
  const uris = [ALICE, ME, `${ALICE}.net`, 'sip:alice@example', 'sip:bob@example.org;gr=sip:alice@example.org'];
  expect(uris.map((uri) => isOf(uri, ALICE))).toEqual([true, true, false, false, false]);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  type ChainLink,
  type Content,
  decodeContent,
  decodeEnvelope,
  type Envelope,
  encodeContent,
  encodeEnvelope,
  type Receipt,
} from './envelope.ts';
import { type AccountAddress, parseAccountAddress } from './ids.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const schema = protobuf.parse(readFileSync(new URL('../proto/envelope.proto', import.meta.url), 'utf8')).root;
const recipientUser = parseAccountAddress('sip:bob@example.org');
const bytes = fc.uint8Array({ maxLength: 300 });

const envelopes: fc.Arbitrary<Envelope> = fc.record({
  engine: fc.constantFrom('lime', 'mls-1', 'x'.repeat(32)),
  recipientUser: fc.constant(recipientUser),
  cipherMessage: bytes,
});
const digest = fc.uint8Array({ minLength: 16, maxLength: 16 });
const tag = fc.uint8Array({ minLength: 8, maxLength: 8 });
const links: fc.Arbitrary<ChainLink> = fc.oneof(
  fc.record({ number: fc.integer({ min: 1, max: 2 ** 50 }), newcomers: fc.array(tag, { maxLength: 3 }) }),
  fc.record({
    number: fc.constant(2 ** 40),
    previous: fc.record({ number: fc.integer({ min: 1, max: 2 ** 40 - 1 }), digest }),
    newcomers: fc.array(tag, { maxLength: 3 }),
  }),
);
const receipts: fc.Arbitrary<readonly Receipt[]> = fc.array(
  fc.record({
    device: tag,
    number: fc.integer({ min: 100, max: 200 }),
    digest,
    missing: fc.constantFrom(
      [],
      [{ first: 1, last: 1 }],
      [
        { first: 1, last: 4 },
        { first: 6, last: 99 },
      ],
    ),
    displayed: fc.nat(100),
  }),
  { minLength: 1, maxLength: 8 },
);
const relayId = fc.uint8Array({ minLength: 16, maxLength: 16 });
const relayIds = fc.array(relayId, { minLength: 1, maxLength: 64 });
const contents: fc.Arbitrary<Content> = fc.record(
  {
    type: fc.constantFrom('text/plain', 'text/plain;charset=utf-8', 'application/vnd.sealwire.receipt+json'),
    body: bytes,
    sentAt: fc.maxSafeNat(),
    id: fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }),
    link: links,
    receipts,
    unread: relayIds,
    gone: relayIds,
    again: relayId,
    moot: relayIds,
    requests: fc.integer({ min: 1, max: 15 }),
    typingKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    group: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    reply: fc.constant({ id: 'x', sender: recipientUser }),
    reactionTo: fc.constant('y'),
    mentions: fc.constant([recipientUser]),
    lifetime: fc.integer({ min: 1, max: 31_536_000 }),
  },
  { requiredKeys: ['type', 'body', 'sentAt'] },
);

/** A place in a chain lies flat in the schema. */
function asSchema(message: Envelope | Content): object {
  const { link, ...rest } = message as Content;
  if (!link) return rest;
  const { number, previous, newcomers } = link;
  return { ...rest, number, newcomers, ...(previous && { previous: previous.number, digest: previous.digest }) };
}

/** What holds for both messages. */
function holds<T extends Envelope | Content>(
  messages: fc.Arbitrary<T>,
  encode: (message: T) => Uint8Array,
  decode: (input: Uint8Array) => T,
  oracle: protobuf.Type,
  code: string,
): void {
  it('decode(encode(x)) is x, also with fields of a newer version', () => {
    const newer = protobuf.Writer.create()
      .uint32((99 << 3) | 2)
      .string('later')
      .finish();
    fc.assert(
      fc.property(messages, (message) => {
        expect(decode(encode(message))).toEqual(message);
        expect(decode(Uint8Array.from([...encode(message), ...newer]))).toEqual(message);
      }),
    );
  });

  it('is what protobufjs writes for the published schema', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = Uint8Array.from(oracle.encode(oracle.fromObject(asSchema(message))).finish());
        expect(encode(message)).toEqual(bytes);
      }),
    );
  });

  it('S81: arbitrary and mutated bytes → a message or one typed error', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat(255), bytes, (message, at, byte, noise) => {
        const mutant = Uint8Array.from(encode(message));
        mutant[at % mutant.length] = byte;
        for (const input of [mutant, mutant.subarray(0, at % mutant.length), noise]) {
          try {
            decode(input);
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
            expect(error.code).toBe(code);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
}

describe('envelope', () => {
  holds(envelopes, encodeEnvelope, decodeEnvelope, schema.lookupType('sealwire.v1.Envelope'), 'bad-envelope');

  const good: Envelope = { engine: 'lime', recipientUser, cipherMessage: Uint8Array.of(1) };
  const refusal = expect.objectContaining({ name: 'WireError', code: 'bad-envelope' });

  it.each(['', 'Lime', 'li me', '-lime', 'x'.repeat(33)])('the engine %j is refused on both sides', (engine) => {
    expect(() => encodeEnvelope({ ...good, engine })).toThrow(refusal);
    const oracle = schema.lookupType('sealwire.v1.Envelope');
    expect(() => decodeEnvelope(oracle.encode(oracle.fromObject({ ...good, engine })).finish())).toThrow(refusal);
  });

  it('S28: a recipient user that is no address is refused', () => {
    for (const user of ['', 'bob', 'sip:bob@example.org;gr=1'])
      expect(() => encodeEnvelope({ ...good, recipientUser: user as typeof recipientUser })).toThrow(refusal);
  });

  it('payloadBytes, on both sides of the limit', () => {
    const of = (length: number) => ({ ...good, cipherMessage: new Uint8Array(length) });
    expect(decodeEnvelope(encodeEnvelope(of(LIMITS.payloadBytes.value))).cipherMessage).toHaveLength(
      LIMITS.payloadBytes.value,
    );
    expect(() => encodeEnvelope(of(LIMITS.payloadBytes.value + 1))).toThrow(refusal);
  });
});

describe('content', () => {
  holds(contents, encodeContent, decodeContent, schema.lookupType('sealwire.v1.Content'), 'bad-content');

  const good: Content = { type: 'text/plain', body: Uint8Array.of(1), sentAt: 5 };
  const refusal = expect.objectContaining({ name: 'WireError', code: 'bad-content' });

  it.each([
    '',
    'text',
    'text/',
    '/plain',
    'text/plain/x',
    'text/plain\n',
    'text/plain;',
    'text /plain',
    'text/plain;a=é',
  ])('S61: the media type %j is refused', (type) => expect(() => encodeContent({ ...good, type })).toThrow(refusal));

  it('an id of 64 bytes is taken, of 65 not', () => {
    expect(decodeContent(encodeContent({ ...good, id: 'x'.repeat(64) })).id).toHaveLength(64);
    expect(() => encodeContent({ ...good, id: 'x'.repeat(65) })).toThrow(refusal);
  });

  it('a place in a chain comes before itself in nothing, and has the digest of what it follows', () => {
    const digest = new Uint8Array(16);
    const newcomers = [new Uint8Array(8)];
    for (const link of [
      { number: 3, previous: { number: 3, digest }, newcomers },
      { number: 3, previous: { number: 2, digest: new Uint8Array(15) }, newcomers },
      { number: 3, newcomers: [new Uint8Array(7)] },
      { number: 0, newcomers },
      { number: 3, newcomers: Array.from({ length: 513 }, () => new Uint8Array(8)) },
    ])
      expect(() => encodeContent({ ...good, link })).toThrow(refusal);
  });

  it('a typing key has 32 bytes', () => {
    for (const length of [31, 33])
      expect(() => encodeContent({ ...good, typingKey: new Uint8Array(length) })).toThrow(refusal);
  });

  it('says what it does to other messages: one thing at a time, within bounds', () => {
    const sender = parseAccountAddress('sip:bob@example.org');
    const said: Content = {
      ...good,
      group: new Uint8Array(4_096).fill(1),
      reply: { id: 'x', sender },
      mentions: Array<AccountAddress>(64).fill(sender),
      lifetime: 31_536_000,
    };
    expect(decodeContent(encodeContent(said))).toEqual(said);
    for (const what of ['reactionTo', 'edits', 'deletes'])
      expect(decodeContent(encodeContent({ ...good, [what]: 'x' }))).toEqual({ ...good, [what]: 'x' });
    for (const wrong of [
      { group: new Uint8Array(4_097) },
      { mentions: Array<AccountAddress>(65).fill(sender) },
      { lifetime: 31_536_001 },
      { edits: 'x', deletes: 'x' },
      { reactionTo: 'x', edits: 'x' },
      { reply: { id: 'x', sender: 'bob' as AccountAddress } },
    ])
      expect(() => encodeContent({ ...good, ...wrong })).toThrow(refusal);
  });

  it('a receipt names what is missing in order, and nothing twice', () => {
    const of =
      (number: number, ...missing: { first: number; last: number }[]) =>
      () =>
        encodeContent({
          ...good,
          receipts: [{ device: new Uint8Array(8), number, digest: new Uint8Array(16), missing, displayed: 0 }],
        });
    expect(of(9, { first: 2, last: 4 }, { first: 5, last: 8 })).not.toThrow();
    expect(of(9, { first: 4, last: 2 })).toThrow(refusal);
    expect(of(9, { first: 2, last: 4 }, { first: 4, last: 8 })).toThrow(refusal);
    expect(of(9, { first: 2, last: 9 })).toThrow(refusal);
    expect(of(0)).toThrow(refusal);
  });

  it('a receipt tells of no display beyond what has arrived', () => {
    const of = (displayed: number) => () =>
      encodeContent({
        ...good,
        receipts: [{ device: new Uint8Array(8), number: 9, digest: new Uint8Array(16), missing: [], displayed }],
      });
    expect(of(9)).not.toThrow();
    expect(of(10)).toThrow(refusal);
  });

  it('ids of what could not be read are relay ids, and so many of them', () => {
    const ids = (count: number, length = 16) => Array.from({ length: count }, () => new Uint8Array(length));
    expect(decodeContent(encodeContent({ ...good, unread: ids(64), gone: ids(64) }))).toMatchObject({
      unread: ids(64),
    });
    for (const wrong of [
      { unread: ids(65) },
      { gone: ids(65) },
      { moot: ids(65) },
      { unread: ids(1, 15) },
      { again: new Uint8Array(15) },
    ])
      expect(() => encodeContent({ ...good, ...wrong })).toThrow(refusal);
  });

  it('a client that knows no chains reads the rest', () => {
    const old = protobuf.parse(
      'syntax = "proto3"; message Content { string type = 1; bytes body = 2; uint64 sent_at = 3; string id = 4; }',
    ).root;
    const link = { number: 7, previous: { number: 6, digest: new Uint8Array(16) }, newcomers: [new Uint8Array(8)] };
    const read = old.lookupType('Content').decode(encodeContent({ ...good, id: 'x', link }));
    expect(read).toMatchObject({ type: 'text/plain', id: 'x' });
  });

  it('an empty body is a body, and no id is no id', () => {
    expect(decodeContent(encodeContent({ ...good, body: new Uint8Array() }))).toEqual({
      ...good,
      body: new Uint8Array(),
    });
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  type Content,
  decodeContent,
  decodeEnvelope,
  type Envelope,
  encodeContent,
  encodeEnvelope,
} from './envelope.ts';
import { parseAccountAddress } from './ids.ts';
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
const contents: fc.Arbitrary<Content> = fc.record(
  {
    type: fc.constantFrom('text/plain', 'text/plain;charset=utf-8', 'application/vnd.sealwire.receipt+json'),
    body: bytes,
    sentAt: fc.maxSafeNat(),
    id: fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }),
  },
  { requiredKeys: ['type', 'body', 'sentAt'] },
);

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
        expect(encode(message)).toEqual(Uint8Array.from(oracle.encode(oracle.fromObject(message)).finish()));
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

  it('an empty body is a body, and no id is no id', () => {
    expect(decodeContent(encodeContent({ ...good, body: new Uint8Array() }))).toEqual({
      ...good,
      body: new Uint8Array(),
    });
  });
});

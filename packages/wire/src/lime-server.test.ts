import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import fc from 'fast-check';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  encodeRequestError,
  keyFormOf,
  LIME_ERRORS,
  LIME_SUITES,
  type LimeAnswer,
  type LimeErrorName,
  type LimeRequest,
  LimeRequestError,
  type ServedSuite,
  SUITE_NAMES,
} from './lime-server.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

interface Exchange {
  readonly what: string;
  readonly request: string;
  readonly response: string;
}
/** Recorded from liblime 5.3.105 and its test server. */
const vectors = JSON.parse(readFileSync(new URL('../../lime/vectors/lime-5.3.json', import.meta.url), 'utf8')) as {
  curves: Record<'c25519' | 'c448', { x3dh_server: Exchange[] }>;
};
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const EXPECTED: readonly [request: LimeRequest['kind'], answer: LimeAnswer['kind']][] = [
  ['registerUser', 'ack'],
  ['registerUser', 'ack'],
  ['registerUser', 'ack'],
  ['getPeerBundle', 'peerBundle'],
  ['getPeerBundle', 'peerBundle'],
  ['getSelfOneTimePrekeys', 'selfOneTimePrekeys'],
  ['postOneTimePrekeys', 'ack'],
  ['getSelfOneTimePrekeys', 'selfOneTimePrekeys'],
  ['postSignedPrekey', 'ack'],
  ['deleteUser', 'ack'],
  ['deleteUser', 'ack'],
  ['deleteUser', 'ack'],
];

const curves = ['c25519', 'c448'] as const;

describe.each(curves)('liblime’s own exchanges on %s', (suite) => {
  const exchanges = vectors.curves[suite].x3dh_server;

  it('are twelve', () => expect(exchanges).toHaveLength(EXPECTED.length));

  it.each(exchanges.map((exchange, n) => [n, exchange.what, exchange] as const))('%i: %s', (n, _what, exchange) => {
    const request = decodeRequest(fromHex(exchange.request));
    const answer = decodeAnswer(fromHex(exchange.response), suite);
    expect([request.kind, answer.kind]).toEqual(EXPECTED[n]);
    expect(request.suite).toBe(suite);
    if (answer.kind === 'ack') expect(answer.request).toBe(request.kind);
    expect(encodeRequest(request)).toEqual(fromHex(exchange.request));
    expect(encodeAnswer(answer)).toEqual(fromHex(exchange.response));
  });

  it('hold what was registered: the bundle that alice gets is bob’s, with his one-time key, and carol’s is without', () => {
    const registered = decodeRequest(fromHex(exchanges[1]!.request));
    const bundles = [3, 4].map((n) => decodeAnswer(fromHex(exchanges[n]!.response), suite));
    if (registered.kind !== 'registerUser') throw new Error('not a registration');
    const { identityKey, signedPrekey, oneTimePrekeys } = registered;
    const device = 'sip:bob@example.org;gr=urn:uuid:b-23d6';
    expect(bundles[0]).toMatchObject({
      peers: [{ device, bundle: { identityKey, signedPrekey, oneTimePrekey: oneTimePrekeys[0] } }],
    });
    expect(bundles[1]).toEqual({
      kind: 'peerBundle',
      suite,
      peers: [{ device, bundle: { identityKey, signedPrekey } }],
    });
  });
});

it.each(SUITE_NAMES)('the sizes of %s are those of its parts', (name) => {
  const { x, ed, signature } = LIME_SUITES[name];
  const { signatures, prekeyLength } = keyFormOf(nobleCrypto(), name);
  const { publicKeyLength, signatureLength } = signatures;
  expect({ x, ed, signature }).toEqual({ x: prekeyLength, ed: publicKeyLength, signature: signatureLength });
});

it('what we speak is served by its curve id, with keys of its own form', () => {
  for (const suite of Object.values(nobleCrypto().suites)) {
    expect(LIME_SUITES[suite.name]).toMatchObject({ id: suite.id, x: suite.prekeyLength });
    expect(keyFormOf(nobleCrypto(), suite.name)).toMatchObject({ name: suite.name });
  }
});

it('curve ids: 1 to 5 are served, Kyber of round 3 (3) too; 0 never travels, and nothing comes after 5', () => {
  const answers = Array.from({ length: 256 }, (_, id) => {
    try {
      return decodeRequest(Uint8Array.of(1, 2, id)).suite;
    } catch (error) {
      return (error as LimeRequestError).limeError;
    }
  });
  expect(answers.slice(0, 6)).toEqual(['badCurve', 'c25519', 'c448', 'c25519k512', 'c25519mlk512', 'c448mlk1024']);
  expect(new Set(answers.slice(6))).toEqual(new Set(['badCurve']));
});

it('suite 3, byte by byte as liblime 5.4 lays it out: prekeys of 832 bytes, identity keys of 32, signatures of 64', () => {
  const of = (length: number, byte: number) => new Uint8Array(length).fill(byte);
  const oneTimePrekeys = [{ id: 0x0708_090a, publicKey: of(832, 4) }];
  const signedPrekey = { id: 0x0102_0304, publicKey: of(832, 2), signature: of(64, 3) };
  const signed = [...of(832, 2), ...of(64, 3), 1, 2, 3, 4];
  const oneTime = [0, 1, ...of(832, 4), 7, 8, 9, 10];
  const suite = 'c25519k512';
  const requests: [LimeRequest, number[]][] = [
    [
      { kind: 'registerUser', suite, identityKey: of(32, 1), signedPrekey, oneTimePrekeys },
      [1, 9, 3, ...of(32, 1), ...signed, ...oneTime],
    ],
    [{ kind: 'postSignedPrekey', suite, signedPrekey }, [1, 3, 3, ...signed]],
    [{ kind: 'postOneTimePrekeys', suite, oneTimePrekeys }, [1, 4, 3, ...oneTime]],
  ];
  for (const [request, layout] of requests) {
    expect([...encodeRequest(request)]).toEqual(layout);
    expect(decodeRequest(Uint8Array.from(layout))).toEqual(request);
  }
  const bundle = { identityKey: of(32, 1), signedPrekey, oneTimePrekey: oneTimePrekeys[0]! };
  const answer: LimeAnswer = { kind: 'peerBundle', suite, peers: [{ device: 'b', bundle }] };
  const layout = [
    1,
    6,
    3,
    0,
    1,
    0,
    1,
    0x62,
    1,
    ...of(32, 1),
    ...of(832, 2),
    1,
    2,
    3,
    4,
    ...of(64, 3),
    ...oneTime.slice(2),
  ];
  expect([...encodeAnswer(answer)]).toEqual(layout);
  expect(decodeAnswer(Uint8Array.from(layout), suite)).toEqual(answer);
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const oneTimeId = fc.integer({ min: 1, max: 0x7fff_ffff });
const deviceText = fc.string({ unit: 'binary', maxLength: 40 });
const oneTimeKey = (suite: ServedSuite) => fc.record({ id: oneTimeId, publicKey: bytes(LIME_SUITES[suite].x) });
const signedKey = (suite: ServedSuite) =>
  fc.record({
    id: fc.nat(0x7fff_ffff),
    publicKey: bytes(LIME_SUITES[suite].x),
    signature: bytes(LIME_SUITES[suite].signature),
  });
const identity = (suite: ServedSuite) => bytes(LIME_SUITES[suite].ed);
const oneTimeKeys = (suite: ServedSuite) =>
  fc.uniqueArray(oneTimeKey(suite), { maxLength: 6, selector: (key) => key.id });

const requests: fc.Arbitrary<LimeRequest> = fc.constantFrom(...SUITE_NAMES).chain((suite) =>
  fc.oneof(
    fc.record({
      kind: fc.constant('registerIdentity' as const),
      suite: fc.constant(suite),
      identityKey: identity(suite),
    }),
    fc.record({
      kind: fc.constant('registerUser' as const),
      suite: fc.constant(suite),
      identityKey: identity(suite),
      signedPrekey: signedKey(suite),
      oneTimePrekeys: oneTimeKeys(suite),
    }),
    fc.record({ kind: fc.constant('deleteUser' as const), suite: fc.constant(suite) }),
    fc.record({
      kind: fc.constant('postSignedPrekey' as const),
      suite: fc.constant(suite),
      signedPrekey: signedKey(suite),
    }),
    fc.record({
      kind: fc.constant('postOneTimePrekeys' as const),
      suite: fc.constant(suite),
      oneTimePrekeys: oneTimeKeys(suite),
    }),
    fc.record({
      kind: fc.constant('getPeerBundle' as const),
      suite: fc.constant(suite),
      devices: fc.array(deviceText, { minLength: 1, maxLength: 6 }),
    }),
    fc.record({ kind: fc.constant('getSelfOneTimePrekeys' as const), suite: fc.constant(suite) }),
  ),
);

const answers: fc.Arbitrary<LimeAnswer & { suite?: ServedSuite }> = fc.constantFrom(...SUITE_NAMES).chain((suite) =>
  fc.oneof(
    fc.record({
      kind: fc.constant('ack' as const),
      suite: fc.constant(suite),
      request: fc.constantFrom(
        'registerIdentity',
        'registerUser',
        'deleteUser',
        'postSignedPrekey',
        'postOneTimePrekeys',
      ),
    }),
    fc.record({
      kind: fc.constant('peerBundle' as const),
      suite: fc.constant(suite),
      peers: fc.array(
        fc.record(
          {
            device: deviceText,
            bundle: fc.record(
              { identityKey: identity(suite), signedPrekey: signedKey(suite), oneTimePrekey: oneTimeKey(suite) },
              { requiredKeys: ['identityKey', 'signedPrekey'] },
            ),
          },
          { requiredKeys: ['device'] },
        ),
        { maxLength: 4 },
      ),
    }),
    fc.record({
      kind: fc.constant('selfOneTimePrekeys' as const),
      suite: fc.constant(suite),
      ids: fc.array(fc.nat(0xffff_ffff)),
    }),
    fc.record({
      kind: fc.constant('error' as const),
      curveId: fc.constantFrom(0, LIME_SUITES[suite].id),
      code: fc.constantFrom(...Object.values(LIME_ERRORS)),
      text: deviceText,
    }),
  ),
) as fc.Arbitrary<LimeAnswer & { suite?: ServedSuite }>;

const curveOf = (answer: LimeAnswer) =>
  answer.kind === 'error'
    ? (SUITE_NAMES.find((name) => LIME_SUITES[name].id === answer.curveId) ?? 'c25519')
    : answer.suite;

describe('properties', () => {
  it('decode(encode(x)) is x, for requests and answers', () => {
    fc.assert(fc.property(requests, (request) => expect(decodeRequest(encodeRequest(request))).toEqual(request)));
    fc.assert(
      fc.property(answers, (answer) => expect(decodeAnswer(encodeAnswer(answer), curveOf(answer))).toEqual(answer)),
    );
  });

  it('lime-protocol 4.2: bytes beyond a request are ignored; beyond an answer they are an error', () => {
    fc.assert(
      fc.property(requests, answers, fc.uint8Array({ minLength: 1 }), (request, answer, surplus) => {
        expect(decodeRequest(Uint8Array.from([...encodeRequest(request), ...surplus]))).toEqual(request);
        fc.pre(answer.kind !== 'error');
        expect(() => decodeAnswer(Uint8Array.from([...encodeAnswer(answer), ...surplus]), curveOf(answer))).toThrow(
          expect.objectContaining({ code: 'bad-lime-answer', message: 'bytes beyond the message' }),
        );
      }),
    );
  });

  it('every proper beginning of a request is refused with 04, and of an answer too', () => {
    fc.assert(
      fc.property(requests, answers, fc.nat(), (request, answer, at) => {
        const whole = encodeRequest(request);
        const cut = whole.subarray(0, at % whole.length);
        expect(() => decodeRequest(cut)).toThrow(
          expect.objectContaining({
            limeError: 'badSize',
            curveId: cut.length < 3 ? 0 : LIME_SUITES[request.suite].id,
          }),
        );
        fc.pre(answer.kind !== 'error');
        const said = encodeAnswer(answer);
        expect(() => decodeAnswer(said.subarray(0, at % said.length), curveOf(answer))).toThrow(WireError);
      }),
    );
  });

  it('S81: arbitrary and mutated bytes → a message or one typed error', () => {
    const only = (run: () => unknown, type: typeof WireError | typeof LimeRequestError) => {
      try {
        run();
      } catch (error) {
        if (!(error instanceof type)) throw error;
      }
    };
    const edited = fc
      .tuple(fc.oneof(requests.map(encodeRequest), answers.map(encodeAnswer)), fc.nat(), fc.nat(255))
      .map(([whole, at, byte]) => {
        const copy = Uint8Array.from(whole);
        copy[at % copy.length] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), edited), (input) => {
        only(() => decodeRequest(input), LimeRequestError);
        for (const suite of curves) only(() => decodeAnswer(input, suite), WireError);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('order of checks (lime-protocol 4.1 and 4.2) and the errors that liblime gets to see', () => {
  const u16 = (n: number) => [n >>> 8, n & 0xff];
  const u32 = (n: number) => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
  const zeros = (length: number) => new Array<number>(length).fill(0);
  const key = (id: number) => [...zeros(32), ...u32(id)];
  const registration = (...rest: number[]) => [1, 9, 1, ...zeros(32 + 32 + 64), ...u32(5), ...rest];
  const keys = (count: number) => Array.from({ length: count }, (_, n) => key(n + 1)).flat();
  const limit = LIMITS.prekeysPerDevice.value;
  const device = (text: string) => [...u16(text.length), ...new TextEncoder().encode(text)];
  const devices = (count: number) => new Array(count).fill(device('d')).flat();
  const most = LIMITS.bundlesPerRequest.value;

  const refused: [string, number[], LimeErrorName, number][] = [
    ['empty', [], 'badSize', 0],
    ['two bytes: there is no curve to echo', [9, 9], 'badSize', 0],
    ['version before curve', [2, 9, 9], 'badVersion', 9],
    ['version before type', [0, 0x55, 1], 'badVersion', 1],
    ['curve before type', [1, 0x55, 6], 'badCurve', 6],
    ['curve 0', [1, 9, 0], 'badCurve', 0],
    ['a type that only servers send: peerBundle', [1, 6, 1, 0, 0], 'badRequest', 1],
    ['a type that only servers send: selfOPks', [1, 8, 2, 0, 0], 'badRequest', 2],
    ['a type that only servers send: error', [1, 0xff, 1, 0], 'badRequest', 1],
    ['a type that nobody sends', [1, 0x55, 2], 'badRequest', 2],
    ['registration without its count', registration(), 'badSize', 1],
    ['D11: registration of 201 keys, before they are even there', registration(...u16(limit + 1)), 'limitReached', 1],
    ['registration of fewer keys than it says', registration(...u16(2), ...key(1)), 'badSize', 1],
    ['registration with key id 0', registration(...u16(1), ...key(0)), 'badRequest', 1],
    ['D11: registration with key id 2^31', registration(...u16(1), ...key(0x8000_0000)), 'badRequest', 1],
    ['registration with one key id twice', registration(...u16(2), ...key(4), ...key(4)), 'badRequest', 1],
    ['signed prekey, one byte short', [1, 3, 1, ...zeros(32 + 64 + 3)], 'badSize', 1],
    ['signed prekey with id 2^31', [1, 3, 1, ...zeros(32 + 64), ...u32(0x8000_0000)], 'badRequest', 1],
    ['one-time keys without a count', [1, 4, 1, 0], 'badSize', 1],
    ['D11: 201 one-time keys', [1, 4, 1, ...u16(limit + 1)], 'limitReached', 1],
    ['fewer one-time keys than said', [1, 4, 1, ...u16(1), ...zeros(35)], 'badSize', 1],
    ['bundles without a count', [1, 5, 1, 0], 'badSize', 1],
    ['bundles for zero devices', [1, 5, 1, 0, 0], 'badRequest', 1],
    ['bundles for 501 devices', [1, 5, 1, ...u16(most + 1)], 'limitReached', 1],
    ['bundles for fewer devices than said', [1, 5, 1, ...u16(2), ...device('d')], 'badSize', 1],
    ['a device id cut short', [1, 5, 1, ...u16(1), ...u16(5), 0x61], 'badSize', 1],
    ['a device id that is not UTF-8', [1, 5, 1, ...u16(1), ...u16(1), 0xff], 'badRequest', 1],
    ['the registration of old clients, cut short', [1, 1, 2, ...zeros(56)], 'badSize', 2],
  ];
  it.each(refused)('%s', (_what, body, limeError, curveId) => {
    expect(() => decodeRequest(Uint8Array.from(body))).toThrow(
      expect.objectContaining({
        name: 'WireError',
        code: 'bad-lime-request',
        limeError,
        limeCode: LIME_ERRORS[limeError],
        curveId,
      }),
    );
  });

  it('the other side of each limit: 200 one-time keys, none, 500 devices, ids 1 and 2^31 - 1', () => {
    const decode = (body: number[]) => decodeRequest(Uint8Array.from(body));
    expect(decode(registration(...u16(limit), ...keys(limit)))).toMatchObject({ oneTimePrekeys: { length: limit } });
    expect(decode(registration(0, 0))).toMatchObject({ oneTimePrekeys: [] });
    expect(decode([1, 4, 1, ...u16(2), ...key(1), ...key(0x7fff_ffff)])).toMatchObject({
      oneTimePrekeys: [{ id: 1 }, { id: 0x7fff_ffff }],
    });
    expect(decode([1, 5, 1, ...u16(most), ...devices(most)])).toMatchObject({ devices: { length: most } });
    expect(
      decodeRequest(Uint8Array.from([1, 4, 1, ...u16(2), ...keys(2)]), { oneTimePrekeys: 2, devices: 1 }).kind,
    ).toBe('postOneTimePrekeys');
    expect(() =>
      decodeRequest(Uint8Array.from([1, 4, 1, ...u16(2), ...keys(2)]), { oneTimePrekeys: 1, devices: 1 }),
    ).toThrow(expect.objectContaining({ limeError: 'limitReached' }));
  });

  it('the largest requests fit the body that servers take', () => {
    const id = `sip:${'a'.repeat(30)}@example.org;gr=urn:uuid:01234567-89ab-cdef-0123-456789abcdef`;
    const bundles = encodeRequest({ kind: 'getPeerBundle', suite: 'c448', devices: new Array(most).fill(id) });
    expect(bundles.length).toBeLessThanOrEqual(LIMITS.limeBodyBytes.value);
    const { x, ed, signature } = LIME_SUITES.c448mlk1024;
    const largest = encodeRequest({
      kind: 'registerUser',
      suite: 'c448mlk1024',
      identityKey: new Uint8Array(ed),
      signedPrekey: { id: 1, publicKey: new Uint8Array(x), signature: new Uint8Array(signature) },
      oneTimePrekeys: Array.from({ length: limit }, (_, i) => ({ id: i + 1, publicKey: new Uint8Array(x) })),
    });
    expect(largest.length).toBe(327_404);
    expect(largest.length).toBeLessThanOrEqual(LIMITS.limeBodyBytes.value);
  });

  it('the answer to a refused request names the code and echoes the curve', () => {
    const error = new LimeRequestError('limitReached', 2, 'too many');
    expect(encodeRequestError(error)).toEqual(
      Uint8Array.from([1, 0xff, 2, 0x0a, ...new TextEncoder().encode('too many')]),
    );
  });
});

describe('answers that are none', () => {
  const wrong: [string, number[]][] = [
    ['not protocol version 1', [2, 9, 1]],
    ['another curve', [1, 9, 2]],
    ['another curve', [1, 9, 0]],
    ['another curve', [1, 0xff, 2, 4]],
    ['a type that no server sends', [1, 5, 1]],
    ['a type that no server sends', [1, 7, 1]],
    ['shorter than its own counts demand', [1, 0xff, 1]],
    ['an unknown flag', [1, 6, 1, 0, 1, 0, 1, 0x61, 3]],
    ['a device id that is not UTF-8', [1, 6, 1, 0, 1, 0, 1, 0xff, 2]],
    ['shorter than its own count demands', [1, 8, 1, 0xff, 0xff, 0, 0, 0, 1]],
  ];
  it.each(wrong)('%s', (message, body) => {
    expect(() => decodeAnswer(Uint8Array.from(body), 'c25519')).toThrow(
      expect.objectContaining({ name: 'WireError', code: 'bad-lime-answer', message }),
    );
  });

  it('an error answer with an unknown code or a broken text is still an error answer', () => {
    expect(decodeAnswer(Uint8Array.of(1, 0xff, 1, 0x77, 0xff), 'c25519')).toEqual({
      kind: 'error',
      curveId: 1,
      code: 0x77,
      text: '',
    });
  });

  it('a device id of more than 65,535 bytes cannot be asked for', () => {
    const request = (length: number): LimeRequest => ({
      kind: 'getPeerBundle',
      suite: 'c25519',
      devices: ['x'.repeat(length)],
    });
    expect(encodeRequest(request(0xffff))).toHaveLength(5 + 2 + 0xffff);
    expect(() => encodeRequest(request(0x1_0000))).toThrow(expect.objectContaining({ code: 'bad-device-id' }));
  });
});

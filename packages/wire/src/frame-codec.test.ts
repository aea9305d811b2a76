import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { DeviceIdCache } from './device-id-cache.ts';
import {
  decodeClientFrame,
  decodeServerFrame,
  deliverHeadBytes,
  encodeAccepted,
  encodeClientFrame,
  encodeDeliver,
  encodeMailOwn,
  encodeMailShared,
  encodeServerFrame,
  writeDeliverHead,
} from './frame-codec.ts';
import { type ClientFrame, type Deliver, PRESENCE_STATES, type Send, type ServerFrame } from './frames.ts';
import { accountOf, type DeviceId, type MessageId, parseDeviceId, parseMessageId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire-error.ts';

fc.configureGlobal({ seed: 0x5ea1 });

// The oracle: another implementation, reading the schema that is published.
const schema = protobuf.parse(readFileSync(new URL('../proto/relay.proto', import.meta.url), 'utf8')).root;
const theirs = {
  client: schema.lookupType('sealwire.v1.ClientFrame'),
  server: schema.lookupType('sealwire.v1.ServerFrame'),
};

const bytes = (maxLength = 200) => fc.uint8Array({ maxLength });
const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength });
const uint = fc.oneof(fc.nat(300), fc.maxSafeNat());
const messageId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(parseMessageId);
const deviceId = fc
  .tuple(fc.constantFrom('alice', 'bob', 'жанна', '名'), fc.stringMatching(/^[a-z0-9:-]{1,40}$/))
  .map(([name, uuid]) => parseDeviceId(`sip:${name}@example.org;gr=urn:uuid:${uuid}`));
const parts = fc.uniqueArray(fc.record({ device: deviceId, content: bytes() }), {
  maxLength: 8,
  selector: (part) => part.device,
});

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    token: text(300),
    lane: fc.constantFrom('both' as const, 'replica' as const, 'contact' as const),
    client: text(30),
  }),
  fc.record({
    kind: fc.constant('send' as const),
    id: messageId,
    body: bytes(2000),
    parts,
    allDevices: fc.boolean(),
    ownElsewhere: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('ack' as const), upTo: uint }),
  fc.record({ kind: fc.constant('ephemeral' as const), body: bytes(2000), parts }),
  fc.record({ kind: fc.constant('ping' as const), nonce: uint }),
  fc.record({ kind: fc.constant('renew' as const), token: text(300) }),
  fc.record({
    kind: fc.constant('show' as const),
    accounts: fc.array(deviceId.map(accountOf), { maxLength: 8 }),
    away: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('appear' as const), away: fc.boolean() }),
);

const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('welcome' as const),
    device: deviceId,
    serverTime: uint,
    expiresAt: uint,
    window: fc.nat(0xffff_ffff),
  }),
  fc.record({ kind: fc.constant('accepted' as const), ids: fc.array(messageId) }),
  fc.record({
    kind: fc.constant('rejected' as const),
    id: messageId,
    code: fc.constantFrom('device-mismatch', 'a-newer-code'),
    text: text(60),
    retryable: fc.boolean(),
    retryAfterMs: uint,
    missing: fc.array(deviceId),
    extra: fc.array(deviceId),
    full: fc.array(deviceId),
  }),
  fc.record({
    kind: fc.constant('deliver' as const),
    seq: uint,
    sender: deviceId,
    id: messageId,
    acceptedAt: uint,
    content: bytes(),
    body: bytes(2000),
  }),
  fc.record({
    kind: fc.constant('ephemeral-deliver' as const),
    sender: deviceId,
    sentAt: uint,
    content: bytes(),
    body: bytes(2000),
  }),
  fc.record({ kind: fc.constant('caught-up' as const), lastSeq: uint }),
  fc.record({
    kind: fc.constant('gap' as const),
    count: uint,
    fromSeq: uint,
    toSeq: uint,
    reason: fc.constantFrom('expired' as const, 'trimmed' as const, 'damaged' as const),
  }),
  fc.record({ kind: fc.constant('pong' as const), nonce: uint }),
  fc.record({ kind: fc.constant('renewed' as const), expiresAt: uint }),
  fc.record({ kind: fc.constant('error' as const), code: fc.constant('bad-frame'), text: text(60) }),
  fc.record({
    kind: fc.constant('left-out' as const),
    id: messageId,
    code: fc.constantFrom('mailbox-full', 'a-newer-code'),
    devices: fc.array(deviceId),
  }),
  fc.record({ kind: fc.constant('manifest-published' as const), version: uint }),
  fc.record({ kind: fc.constant('contacts-published' as const), version: uint }),
  fc.record({
    kind: fc.constant('presence' as const),
    peers: fc.array(fc.record({ account: deviceId.map(accountOf), state: fc.constantFrom(...PRESENCE_STATES) })),
  }),
);

const ONEOF_NAMES: Record<string, string> = {
  'caught-up': 'caughtUp',
  'ephemeral-deliver': 'ephemeral',
  'left-out': 'leftOut',
  'manifest-published': 'manifestPublished',
  'contacts-published': 'contactsPublished',
};
const OTHER_NAMES: Record<string, string> = { retryAfterMs: 'retryAfter' };
const ENUMS: Record<string, readonly string[]> = {
  lane: ['both', 'replica', 'contact'],
  reason: ['expired', 'trimmed', 'damaged'],
  state: PRESENCE_STATES,
};

/** A frame of ours as the plain object that the oracle takes and gives. */
function toTheirs({ kind, ...fields }: ClientFrame | ServerFrame): object {
  return { [ONEOF_NAMES[kind] ?? kind]: fieldsOfTheirs(fields) };
}

function fieldsOfTheirs(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]) => {
    if (name in ENUMS) return [OTHER_NAMES[name] ?? name, ENUMS[name]!.indexOf(value as string)];
    return [OTHER_NAMES[name] ?? name, name === 'peers' ? (value as object[]).map(fieldsOfTheirs) : value];
  });
  return Object.fromEntries(entries) as object;
}

function decodeByThem(type: protobuf.Type, input: Uint8Array): object {
  return type.toObject(type.decode(input), { longs: Number, enums: Number, defaults: true, arrays: true }) as object;
}

/** Buffers of the oracle and views of ours, compared by their bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes:${Array.from(value).join()}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== 'frame')
        .map(([key, inner]) => [key, plain(inner)]),
    );
  return value;
}

const CODES = ['bad-frame', 'unknown-frame', 'payload-too-large'];

/** What `decode` makes of `input`, or the code of its refusal; any other error is a failure of the test. */
function attempt<T>(decode: (input: Uint8Array) => T, input: Uint8Array): T | string {
  try {
    return decode(input);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    expect(CODES).toContain(error.code);
    return error.code;
  }
}

function viewsOf(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return value && typeof value === 'object' ? Object.values(value).flatMap(viewsOf) : [];
}

/** What holds for the frames of both directions. */
function holds<Frame extends ClientFrame | ServerFrame>(
  frames: fc.Arbitrary<Frame>,
  encode: (frame: Frame) => Uint8Array,
  decode: (input: Uint8Array, cache?: DeviceIdCache) => Frame,
  type: protobuf.Type,
): void {
  it('decode(encode(x)) is x, with and without a cache of device ids', () => {
    const cache = new DeviceIdCache();
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decode(encode(frame))).toEqual(frame);
        expect(decode(encode(frame), cache)).toEqual(frame);
      }),
    );
  });

  it('what we encode the oracle reads the same', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(plain(decodeByThem(type, encode(frame)))).toEqual(plain(toTheirs(frame)));
      }),
    );
  });

  it('what the oracle encodes we read the same', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(plain(decode(type.encode(type.fromObject(toTheirs(frame))).finish()))).toEqual(plain(frame));
      }),
    );
  });

  it('S81 H15: arbitrary bytes → a frame or one typed error', () => {
    fc.assert(
      fc.property(bytes(300), (input) => {
        attempt(decode, input);
      }),
      { numRuns: 2000 },
    );
  });

  it('S81: mutated frames → one typed error, or a frame of views that encodes to itself and that the oracle reads the same', () => {
    const edit = fc.record({
      at: fc.nat(),
      with: fc.nat(255),
      how: fc.constantFrom('flip', 'cut', 'insert', 'repeat'),
    });
    let survivors = 0;
    fc.assert(
      fc.property(frames, fc.array(edit, { minLength: 1, maxLength: 3 }), (frame, edits) => {
        let mutant = [...encode(frame)];
        for (const { at, with: value, how } of edits) {
          const place = mutant.length === 0 ? 0 : at % mutant.length;
          if (how === 'flip') mutant[place] = (mutant[place] ?? 0) ^ (1 << (value % 8));
          else if (how === 'cut') mutant = mutant.slice(0, place);
          else if (how === 'insert') mutant.splice(place, 0, value);
          else mutant.push(...mutant.slice(0, 500));
        }
        const input = Uint8Array.from(mutant);
        const read = attempt(decode, input);
        if (typeof read === 'string') return;
        survivors++;
        for (const view of viewsOf(read)) expect(view.length === 0 || view.buffer === input.buffer).toBe(true);
        expect(decode(encode(read))).toEqual(read);
        expect(plain(decodeByThem(type, input))).toEqual(plain(toTheirs(read)));
      }),
      { numRuns: 2000 },
    );
    expect(survivors).toBeGreaterThan(50);
  });
}

describe('client frames', () => holds(clientFrame, encodeClientFrame, decodeClientFrame, theirs.client));
describe('server frames', () => holds(serverFrame, encodeServerFrame, decodeServerFrame, theirs.server));

const device = (n: number) => parseDeviceId(`sip:alice@example.org;gr=urn:uuid:${n}`);
const id = parseMessageId(new Uint8Array(16).fill(7));
const send = (change: Partial<Send> = {}): Send => ({
  kind: 'send',
  id,
  body: Uint8Array.of(1, 2),
  parts: [{ device: device(1), content: Uint8Array.of(3) }],
  allDevices: false,
  ownElsewhere: false,
  ...change,
});
const refusal = (code: string) => expect.objectContaining({ name: 'WireError', code });
const byThem = (type: protobuf.Type, frame: object) => type.encode(type.fromObject(frame)).finish();

describe('the outermost oneof', () => {
  const ping = encodeClientFrame({ kind: 'ping', nonce: 3 });
  const newer = protobuf.Writer.create()
    .uint32((77 << 3) | 2)
    .bytes(Uint8Array.of(8, 1))
    .finish();

  it('H15: a frame of a newer version → unknown-frame, so that the socket can live on', () => {
    expect(() => decodeClientFrame(newer)).toThrow(refusal('unknown-frame'));
    expect(() => decodeServerFrame(newer)).toThrow(refusal('unknown-frame'));
  });

  it('an unknown field beside a known frame is skipped', () => {
    expect(decodeClientFrame(Uint8Array.from([...newer, ...ping]))).toEqual({ kind: 'ping', nonce: 3 });
  });

  it('the last frame wins, and an earlier malformed one is still an error', () => {
    const renew = encodeClientFrame({ kind: 'renew', token: 't' });
    expect(decodeClientFrame(Uint8Array.from([...ping, ...renew]))).toEqual({ kind: 'renew', token: 't' });
    expect(() => decodeClientFrame(Uint8Array.from([0x12, 0, ...renew]))).toThrow(refusal('bad-frame'));
    expect(() => decodeClientFrame(Uint8Array.from([...ping, ...ping]))).toThrow(refusal('bad-frame'));
  });

  it('empty → bad-frame; a frame that is no message → bad-frame', () => {
    expect(() => decodeClientFrame(new Uint8Array())).toThrow(refusal('bad-frame'));
    expect(() => decodeClientFrame(Uint8Array.of(0x28, 1))).toThrow(refusal('bad-frame'));
  });

  it('unknown fields inside a frame are skipped', () => {
    const inner = protobuf.Writer.create()
      .uint32((1 << 3) | 0)
      .uint32(5)
      .uint32((15 << 3) | 2)
      .string('later');
    const frame = protobuf.Writer.create()
      .uint32((5 << 3) | 2)
      .bytes(inner.finish())
      .finish();
    expect(decodeClientFrame(frame)).toEqual({ kind: 'ping', nonce: 5 });
  });
});

describe('malformed fields', () => {
  const wrong: [string, protobuf.Type, object][] = [
    ['a message id of 15 bytes', theirs.client, { send: { id: new Uint8Array(15) } }],
    ['a message id of 17 bytes', theirs.client, { send: { id: new Uint8Array(17) } }],
    ['no message id', theirs.client, { send: { body: Uint8Array.of(1) } }],
    ['a part without a device', theirs.client, { send: { id, parts: [{ content: Uint8Array.of(1) }] } }],
    ['a part for what is no device id', theirs.client, { send: { id, parts: [{ device: 'sip:alice@example.org' }] } }],
    [
      'two parts for one device',
      theirs.client,
      { send: { id, parts: [{ device: device(1) }, { device: device(1) }] } },
    ],
    [
      'two of nine parts for one device',
      theirs.client,
      { send: { id, parts: Array.from({ length: 9 }, (_, n) => ({ device: device(n % 8) })) } },
    ],
    [
      'a device id with half a surrogate pair',
      theirs.client,
      { send: { id, parts: [{ device: 'sip:a\ud800@b;gr=c' }] } },
    ],
    ['an unknown lane', theirs.client, { hello: { token: 't', lane: 3 } }],
    ['a welcome without a device', theirs.server, { welcome: { window: 5 } }],
    ['a deliver without a sender', theirs.server, { deliver: { seq: 1, id } }],
    ['a deliver without an id', theirs.server, { deliver: { seq: 1, sender: device(1) } }],
    ['an ephemeral without a sender', theirs.server, { ephemeral: { sentAt: 1 } }],
    ['a rejection of nothing', theirs.server, { rejected: { code: 'conflict' } }],
    ['devices left out of nothing', theirs.server, { leftOut: { code: 'mailbox-full' } }],
    ['an unknown gap reason', theirs.server, { gap: { count: 1, reason: 3 } }],
  ];
  it.each(wrong)('%s → bad-frame', (_name, type, frame) => {
    const decode = type === theirs.client ? decodeClientFrame : decodeServerFrame;
    expect(() => decode(byThem(type, frame))).toThrow(refusal('bad-frame'));
  });

  it('a number beyond its width → bad-frame', () => {
    const inner = Uint8Array.from([0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(() => decodeClientFrame(Uint8Array.from([0x2a, inner.length, ...inner]))).toThrow(refusal('bad-frame'));
    const welcome = (...window: number[]) => {
      const fields = protobuf.Writer.create().uint32(0x0a).string(device(1)).uint32(0x20).finish();
      return Uint8Array.from([0x0a, fields.length + window.length, ...fields, ...window]);
    };
    expect(decodeServerFrame(welcome(0xff, 0xff, 0xff, 0xff, 0x0f))).toMatchObject({ window: 2 ** 32 - 1 });
    expect(() => decodeServerFrame(welcome(0x80, 0x80, 0x80, 0x80, 0x10))).toThrow(refusal('bad-frame'));
  });

  it('numbers that an older client acknowledges one by one are an unknown field', () => {
    for (const also of [
      [0x10, 4, 0x10, 9],
      [0x12, 2, 4, 9],
    ])
      expect(decodeClientFrame(Uint8Array.of(0x1a, 2 + also.length, 0x08, 3, ...also))).toEqual({
        kind: 'ack',
        upTo: 3,
      });
  });
});

describe('limits, on both sides', () => {
  const full = LIMITS.payloadBytes.value;
  const content = Uint8Array.of(1, 2, 3);
  const body = (size: number) => new Uint8Array(size);

  it('payloadBytes: body and the largest content of a message', () => {
    const parts = [
      { device: device(1), content },
      { device: device(2), content: Uint8Array.of(1) },
    ];
    const most = send({ body: body(full - 3), parts });
    expect(decodeClientFrame(encodeClientFrame(most))).toEqual(most);
    const more = send({ body: body(full - 2), parts });
    expect(() => encodeClientFrame(more)).toThrow(refusal('payload-too-large'));
    expect(() => decodeClientFrame(byThem(theirs.client, toTheirs(more)))).toThrow(refusal('payload-too-large'));
    expect(() => decodeClientFrame(byThem(theirs.client, { ephemeral: { body: body(full + 1) } }))).toThrow(
      refusal('payload-too-large'),
    );
    expect(() => encodeClientFrame(send({ body: body(full + 1), parts: [] }))).toThrow(refusal('payload-too-large'));

    expect(() => encodeClientFrame({ kind: 'ephemeral', body: body(full - 2), parts })).toThrow(
      refusal('payload-too-large'),
    );
    const passed = { kind: 'ephemeral-deliver' as const, sender: device(1), sentAt: 1, content };
    expect(decodeServerFrame(encodeServerFrame({ ...passed, body: body(full - 3) }))).toMatchObject(passed);
    expect(() => decodeServerFrame(encodeServerFrame({ ...passed, body: body(full - 2) }))).toThrow(
      refusal('payload-too-large'),
    );

    const deliver: Deliver = {
      kind: 'deliver',
      seq: 1,
      sender: device(1),
      id,
      acceptedAt: 1,
      content,
      body: body(full - 3),
    };
    expect(decodeServerFrame(encodeServerFrame(deliver))).toEqual(deliver);
    expect(() => decodeServerFrame(encodeServerFrame({ ...deliver, body: body(full - 2) }))).toThrow(
      refusal('payload-too-large'),
    );
  });

  it('frameBytes', () => {
    const padding = (size: number) => {
      const frame = new Uint8Array(size);
      frame.set([0x28 | 2, 0, 0xfa, 0x7f, ...varint(size - 4 - varint(size - 7).length)]);
      return frame;
    };
    expect(decodeClientFrame(padding(LIMITS.frameBytes.value))).toEqual({ kind: 'ping', nonce: 0 });
    expect(() => decodeClientFrame(padding(LIMITS.frameBytes.value + 1))).toThrow(refusal('payload-too-large'));
  });

  it('partsPerFrame', () => {
    const of = (count: number) =>
      send({ parts: Array.from({ length: count }, (_, n) => ({ device: device(n), content })) });
    const { value } = LIMITS.partsPerFrame;
    expect(decodeClientFrame(encodeClientFrame(of(value)))).toEqual(of(value));
    expect(() => encodeClientFrame(of(value + 1))).toThrow(refusal('limit-reached'));
    expect(() => decodeClientFrame(byThem(theirs.client, toTheirs(of(value + 1))))).toThrow(refusal('bad-frame'));
  });

  it('acksPerFrame', () => {
    const { value } = LIMITS.acksPerFrame;
    const ids = (count: number) => new Array<MessageId>(count).fill(id);
    expect(decodeServerFrame(encodeAccepted(ids(value)))).toEqual({ kind: 'accepted', ids: ids(value) });
    expect(() => encodeAccepted(ids(value + 1))).toThrow(refusal('limit-reached'));
    expect(() => decodeServerFrame(byThem(theirs.server, { accepted: { ids: ids(value + 1) } }))).toThrow(
      refusal('bad-frame'),
    );
  });

  it.each([
    ['tokenBytes', theirs.client, (size: number) => ({ hello: { token: 'x'.repeat(size) } })],
    ['tokenBytes', theirs.client, (size: number) => ({ renew: { token: 'x'.repeat(size) } })],
    ['clientNameBytes', theirs.client, (size: number) => ({ hello: { client: 'x'.repeat(size) } })],
    ['errorTextBytes', theirs.server, (size: number) => ({ error: { text: 'x'.repeat(size) } })],
    ['errorTextBytes', theirs.server, (size: number) => ({ rejected: { id, text: 'x'.repeat(size) } })],
    ['errorCodeBytes', theirs.server, (size: number) => ({ error: { code: 'x'.repeat(size) } })],
    ['errorCodeBytes', theirs.server, (size: number) => ({ rejected: { id, code: 'x'.repeat(size) } })],
    ['errorCodeBytes', theirs.server, (size: number) => ({ leftOut: { id, code: 'x'.repeat(size) } })],
    [
      'mismatchDevices',
      theirs.server,
      (count: number) => ({ rejected: { id, missing: Array.from({ length: count }, (_, n) => device(n)) } }),
    ],
    [
      'mismatchDevices',
      theirs.server,
      (count: number) => ({ rejected: { id, extra: Array.from({ length: count }, (_, n) => device(n)) } }),
    ],
    [
      'mismatchDevices',
      theirs.server,
      (count: number) => ({ rejected: { id, full: Array.from({ length: count }, (_, n) => device(n)) } }),
    ],
    [
      'mismatchDevices',
      theirs.server,
      (count: number) => ({ leftOut: { id, devices: Array.from({ length: count }, (_, n) => device(n)) } }),
    ],
    [
      'presencePeers',
      theirs.client,
      (count: number) => ({ show: { accounts: Array.from({ length: count }, (_, n) => `sip:${n}@example.org`) } }),
    ],
    [
      'presencePeers',
      theirs.server,
      (count: number) => ({
        presence: { peers: Array.from({ length: count }, (_, n) => ({ account: `sip:${n}@example.org` })) },
      }),
    ],
  ] as const)('%s', (name, type, make) => {
    const decode = type === theirs.client ? decodeClientFrame : decodeServerFrame;
    const { value } = LIMITS[name];
    expect(() => decode(byThem(type, make(value)))).not.toThrow();
    expect(() => decode(byThem(type, make(value + 1)))).toThrow(refusal('bad-frame'));
  });

  it('what a server says about an error is cut to its limits, between characters, and fits a frame', () => {
    const longest = `sip:${'a'.repeat(64)}@${'b'.repeat(50)};gr=${'c'.repeat(120)}`;
    const devices = Array.from({ length: 2000 }, (_, n) => parseDeviceId(`${longest}${n}`.slice(0, 255)) as DeviceId);
    const named = devices.slice(0, LIMITS.mismatchDevices.value);
    const read = (frame: ServerFrame) => {
      const encoded = encodeServerFrame(frame);
      expect(encoded.length).toBeLessThanOrEqual(LIMITS.frameBytes.value);
      return decodeServerFrame(encoded);
    };
    const text = 'ж'.repeat(1000);
    const refused = { kind: 'rejected' as const, id, text, retryable: true, retryAfterMs: 0 };
    // The lists that one code fills.
    expect(read({ ...refused, code: 'device-mismatch', missing: devices, extra: devices, full: [] })).toMatchObject({
      text: text.slice(0, LIMITS.errorTextBytes.value / 2),
      missing: named,
      extra: named,
    });
    expect(read({ ...refused, code: 'mailbox-full', missing: [], extra: [], full: devices })).toMatchObject({
      full: named,
    });
    expect(read({ kind: 'left-out', id, code: 'mailbox-full', devices })).toMatchObject({ devices: named });
  });
});

describe('mails', () => {
  it('a Deliver is its head and the stored mail, and the mail the pieces one after the other', () => {
    fc.assert(
      fc.property(
        serverFrame.filter((frame) => frame.kind === 'deliver' && frame.seq > 0) as fc.Arbitrary<Deliver>,
        (frame) => {
          const pieces = [...encodeMailShared(frame), ...encodeMailOwn(frame.content)];
          const mail = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
          const head = new Uint8Array(deliverHeadBytes(frame.seq, mail.length));
          expect(writeDeliverHead(head, 0, frame.seq, mail.length)).toBe(head.length);
          const whole = Uint8Array.from([...head, ...mail]);
          expect(whole).toEqual(encodeServerFrame(frame));
          expect(encodeDeliver(frame.seq, [mail])).toEqual(whole);
          expect(decodeServerFrame(whole)).toEqual(frame);
        },
      ),
    );
  });

  it('neither body nor content is copied into the pieces', () => {
    const body = Uint8Array.of(1);
    const content = Uint8Array.of(2);
    const pieces = [...encodeMailShared({ sender: device(1), id, acceptedAt: 1, body }), ...encodeMailOwn(content)];
    expect(pieces.includes(body) && pieces.includes(content)).toBe(true);
  });
});

function varint(value: number): number[] {
  return [...protobuf.Writer.create().uint32(value).finish()];
}

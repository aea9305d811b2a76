/**
 * The messages of the LIME key server: lime-protocol section 3, all suites (docs/spec/lime-key-server.md). Numbers are big endian.
 *
 *   header  u8 version = 01 | u8 type | u8 curve id
 *   OPk     X public key[x] | u32 id
 *   bundle  u16 length | device id | u8 flag | Ik[ed] | SPk[x] | u32 SPk id | signature[sig] | OPk when flag is 1
 *
 * `decodeRequest` checks in the order of section 4.1 and 4.2; the first failure decides the error that liblime gets to see.
 */
import type { CryptoProvider, LimeSuite, SuiteName } from '@sealwire/crypto/port';
import { BigEndianReader, BigEndianWriter } from './big-endian.ts';
import { LIMITS } from './limits.ts';
import { WireError } from './wire-error.ts';

/** Of requests and answers alike; anything else is answered with `badContentType`. */
export const LIME_CONTENT_TYPE = 'x3dh/octet-stream';

export const LIME_ERRORS = {
  badContentType: 0x00,
  badCurve: 0x01,
  missingSenderId: 0x02,
  badVersion: 0x03,
  badSize: 0x04,
  userAlreadyIn: 0x05,
  userNotFound: 0x06,
  databaseError: 0x07,
  badRequest: 0x08,
  serverFailure: 0x09,
  limitReached: 0x0a,
} as const;

export type LimeErrorName = keyof typeof LIME_ERRORS;

/**
 * The suites that a key server keeps keys of and a manifest names identities on: those that we speak, and Curve25519 with Kyber-512 of
 * round 3, which liblime 5.4 still has.
 */
export type ServedSuite = SuiteName | 'c25519k512';

/**
 * Lengths in bytes, and the curve id on the wire (sections 2 and 13). `x` is a public prekey, the KEM's public key included: to a key
 * server the suites differ in these sizes and in nothing else.
 */
export const LIME_SUITES: Readonly<Record<ServedSuite, { id: number; x: number; ed: number; signature: number }>> = {
  c25519: { id: 1, x: 32, ed: 32, signature: 64 },
  c448: { id: 2, x: 56, ed: 57, signature: 114 },
  c25519k512: { id: 3, x: 32 + 800, ed: 32, signature: 64 },
  c25519mlk512: { id: 4, x: 32 + 800, ed: 32, signature: 64 },
  c448mlk1024: { id: 5, x: 56 + 1568, ed: 57, signature: 114 },
};

/** All suites, in the order of their ids. */
export const SUITE_NAMES = Object.keys(LIME_SUITES) as readonly ServedSuite[];

/**
 * What keys on `suite` look like, and are checked with: those of the suite of that size. A public key of Kyber-512 has the form of one
 * of ML-KEM-512: twelve bits a coefficient, below q.
 */
export function keyFormOf(
  { suites }: Pick<CryptoProvider, 'suites'>,
  suite: ServedSuite,
): Omit<LimeSuite, 'name' | 'id'> {
  const { x } = LIME_SUITES[suite];
  return Object.values(suites).find(({ prekeyLength }) => prekeyLength === x)!;
}

export interface LimeOneTimePrekey {
  /** 1 to 2^31 - 1 (section 2.2). */
  readonly id: number;
  readonly publicKey: Uint8Array;
}

export interface LimeSignedPrekey {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

export interface LimeBundle {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: LimeSignedPrekey;
  readonly oneTimePrekey?: LimeOneTimePrekey;
}

export type LimeRequest =
  /** Type 01, before liblime 4.3: such a device has no bundle until it posts a signed prekey. */
  | { readonly kind: 'registerIdentity'; readonly suite: ServedSuite; readonly identityKey: Uint8Array }
  | {
      readonly kind: 'registerUser';
      readonly suite: ServedSuite;
      readonly identityKey: Uint8Array;
      readonly signedPrekey: LimeSignedPrekey;
      readonly oneTimePrekeys: readonly LimeOneTimePrekey[];
    }
  | { readonly kind: 'deleteUser'; readonly suite: ServedSuite }
  | { readonly kind: 'postSignedPrekey'; readonly suite: ServedSuite; readonly signedPrekey: LimeSignedPrekey }
  | {
      readonly kind: 'postOneTimePrekeys';
      readonly suite: ServedSuite;
      readonly oneTimePrekeys: readonly LimeOneTimePrekey[];
    }
  /** Device ids as the client wrote them: liblime knows no form, so they need not be ids of ours. */
  | { readonly kind: 'getPeerBundle'; readonly suite: ServedSuite; readonly devices: readonly string[] }
  | { readonly kind: 'getSelfOneTimePrekeys'; readonly suite: ServedSuite };

export type LimeRequestKind = LimeRequest['kind'];

/** One entry a requested device, in the same order; without `bundle` (flag 2) the device has none. */
export interface LimePeer {
  readonly device: string;
  readonly bundle?: LimeBundle | undefined;
}

export type LimeAnswer =
  | { readonly kind: 'ack'; readonly suite: ServedSuite; readonly request: LimeRequestKind }
  | { readonly kind: 'peerBundle'; readonly suite: ServedSuite; readonly peers: readonly LimePeer[] }
  | { readonly kind: 'selfOneTimePrekeys'; readonly suite: ServedSuite; readonly ids: readonly number[] }
  /** `curveId` is the request's, 0 when it had none. `code` is one of `LIME_ERRORS`; a newer server may send another. */
  | { readonly kind: 'error'; readonly curveId: number; readonly code: number; readonly text: string };

/** Why a request is refused, and all that the answer needs: `encodeError(error)`. */
export class LimeRequestError extends WireError {
  constructor(
    readonly limeError: LimeErrorName,
    /** Of the request, 0 when it was too short to have one: liblime ignores an answer on another curve. */
    readonly curveId: number,
    message: string,
  ) {
    super('bad-lime-request', message);
  }
  get limeCode(): number {
    return LIME_ERRORS[this.limeError];
  }
}

/** What one request may ask for. */
export interface LimeRequestLimits {
  readonly oneTimePrekeys: number;
  readonly devices: number;
}

const DEFAULT_LIMITS: LimeRequestLimits = {
  oneTimePrekeys: LIMITS.prekeysPerDevice.value,
  devices: LIMITS.bundlesPerRequest.value,
};

const VERSION = 1;
const HEADER = 3;
const TYPES = {
  registerIdentity: 0x01,
  deleteUser: 0x02,
  postSignedPrekey: 0x03,
  postOneTimePrekeys: 0x04,
  getPeerBundle: 0x05,
  getSelfOneTimePrekeys: 0x07,
  registerUser: 0x09,
} as const satisfies Record<LimeRequestKind, number>;
const PEER_BUNDLE = 0x06;
const SELF_PREKEYS = 0x08;
const ERROR = 0xff;
const FLAG_WITHOUT_OPK = 0;
const FLAG_WITH_OPK = 1;
const FLAG_NO_BUNDLE = 2;
/** Larger ids would be negative in liblime's columns (section 2.2). */
const MAX_KEY_ID = 0x7fff_ffff;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Byte fields are views of `body`. Throws `LimeRequestError` and nothing else; bytes beyond the message are ignored (section 4.2). */
export function decodeRequest(body: Uint8Array, limits: LimeRequestLimits = DEFAULT_LIMITS): LimeRequest {
  const curveId = body.length >= HEADER ? body[2]! : 0;
  const refuse = (error: LimeErrorName, why: string): never => {
    throw new LimeRequestError(error, curveId, why);
  };
  if (body.length < HEADER) refuse('badSize', 'shorter than a header');
  if (body[0] !== VERSION) refuse('badVersion', 'not protocol version 1');
  const suite = curveOf(curveId) ?? refuse('badCurve', 'a curve that this server does not serve');
  const { x, ed, signature } = LIME_SUITES[suite];
  const reader = new BigEndianReader(body.subarray(HEADER), 'bad-lime-request');
  const demand = (size: number): void => {
    if (reader.left < size) refuse('badSize', 'shorter than its type and counts demand');
  };
  const readSignedPrekey = (): LimeSignedPrekey => {
    const publicKey = reader.take(x);
    const signedBy = reader.take(signature);
    const id = reader.u32();
    if (id > MAX_KEY_ID) refuse('badRequest', 'a signed prekey id beyond 2^31 - 1');
    return { id, publicKey, signature: signedBy };
  };
  const readOneTimePrekeys = (): LimeOneTimePrekey[] => {
    const count = reader.u16();
    if (count > limits.oneTimePrekeys) refuse('limitReached', `more than ${limits.oneTimePrekeys} one-time prekeys`);
    demand(count * (x + 4));
    const keys = Array.from({ length: count }, () => ({ publicKey: reader.take(x), id: reader.u32() }));
    if (keys.some(({ id }) => id === 0 || id > MAX_KEY_ID))
      refuse('badRequest', 'a one-time prekey id outside 1 to 2^31 - 1');
    if (new Set(keys.map(({ id }) => id)).size < count) refuse('badRequest', 'two one-time prekeys with one id');
    return keys;
  };

  switch (body[1]) {
    case TYPES.registerIdentity:
      demand(ed);
      return { kind: 'registerIdentity', suite, identityKey: reader.take(ed) };
    case TYPES.registerUser:
      demand(ed + x + signature + 4 + 2);
      return {
        kind: 'registerUser',
        suite,
        identityKey: reader.take(ed),
        signedPrekey: readSignedPrekey(),
        oneTimePrekeys: readOneTimePrekeys(),
      };
    case TYPES.deleteUser:
      return { kind: 'deleteUser', suite };
    case TYPES.postSignedPrekey:
      demand(x + signature + 4);
      return { kind: 'postSignedPrekey', suite, signedPrekey: readSignedPrekey() };
    case TYPES.postOneTimePrekeys:
      demand(2);
      return { kind: 'postOneTimePrekeys', suite, oneTimePrekeys: readOneTimePrekeys() };
    case TYPES.getPeerBundle: {
      demand(2);
      const count = reader.u16();
      if (count === 0) refuse('badRequest', 'a bundle request for zero devices');
      if (count > limits.devices) refuse('limitReached', `a bundle request for more than ${limits.devices} devices`);
      const devices: string[] = [];
      for (let i = 0; i < count; i++) {
        demand(2);
        const length = reader.u16();
        demand(length);
        // An answer must name the device in the very bytes of the request, or liblime asks again for ever (section 0, trap 2).
        devices.push(textOf(reader.take(length)) ?? refuse('badRequest', 'a device id that is not UTF-8'));
      }
      return { kind: 'getPeerBundle', suite, devices };
    }
    case TYPES.getSelfOneTimePrekeys:
      return { kind: 'getSelfOneTimePrekeys', suite };
    default:
      return refuse('badRequest', 'a message type that no client sends');
  }
}

export function encodeRequest(request: LimeRequest): Uint8Array<ArrayBuffer> {
  const writer = headerOf(TYPES[request.kind], LIME_SUITES[request.suite].id);
  switch (request.kind) {
    case 'registerIdentity':
      writer.raw(request.identityKey);
      break;
    case 'registerUser':
      writer.raw(request.identityKey);
      writeSignedPrekey(writer, request.signedPrekey);
      writeOneTimePrekeys(writer, request.oneTimePrekeys);
      break;
    case 'postSignedPrekey':
      writeSignedPrekey(writer, request.signedPrekey);
      break;
    case 'postOneTimePrekeys':
      writeOneTimePrekeys(writer, request.oneTimePrekeys);
      break;
    case 'getPeerBundle':
      writer.u16(request.devices.length);
      for (const device of request.devices) writeText(writer, device);
      break;
    case 'deleteUser':
    case 'getSelfOneTimePrekeys':
      break;
  }
  return writer.finish();
}

export function encodeAnswer(answer: LimeAnswer): Uint8Array<ArrayBuffer> {
  switch (answer.kind) {
    case 'ack':
      return headerOf(TYPES[answer.request], LIME_SUITES[answer.suite].id).finish();
    case 'peerBundle': {
      const writer = headerOf(PEER_BUNDLE, LIME_SUITES[answer.suite].id).u16(answer.peers.length);
      for (const peer of answer.peers) writePeer(writer, peer);
      return writer.finish();
    }
    case 'selfOneTimePrekeys': {
      const writer = headerOf(SELF_PREKEYS, LIME_SUITES[answer.suite].id).u16(answer.ids.length);
      for (const id of answer.ids) writer.u32(id);
      return writer.finish();
    }
    case 'error':
      return headerOf(ERROR, answer.curveId).u8(answer.code).raw(encoder.encode(answer.text)).finish();
  }
}

/** The answer to a refused request. */
export function encodeRequestError(error: LimeRequestError): Uint8Array<ArrayBuffer> {
  return encodeAnswer({ kind: 'error', curveId: error.curveId, code: error.limeCode, text: error.message });
}

/**
 * An answer to a request on `curve`. Byte fields are views. Throws `WireError` `bad-lime-answer`: also for another curve than asked
 * for, a type that no server sends, an error without a code, and bytes beyond the message.
 */
export function decodeAnswer(bytes: Uint8Array, suite: ServedSuite): LimeAnswer {
  const reader = new BigEndianReader(bytes, 'bad-lime-answer');
  if (reader.u8() !== VERSION) throw badAnswer('not protocol version 1');
  const type = reader.u8();
  const curveId = reader.u8();
  if (type === ERROR) {
    // A server that could not read the request's curve answers 0.
    if (curveId !== 0 && curveId !== LIME_SUITES[suite].id) throw badAnswer('another curve');
    const code = reader.u8();
    return { kind: 'error', curveId, code, text: textOf(reader.take(reader.left)) ?? '' };
  }
  if (curveId !== LIME_SUITES[suite].id) throw badAnswer('another curve');
  const answer = readAnswer(reader, type, suite);
  if (reader.left > 0) throw badAnswer('bytes beyond the message');
  return answer;
}

function readAnswer(reader: BigEndianReader, type: number, suite: ServedSuite): LimeAnswer {
  if (type === PEER_BUNDLE) {
    const count = reader.u16();
    const peers: LimePeer[] = [];
    for (let i = 0; i < count; i++) peers.push(readPeer(reader, suite));
    return { kind: 'peerBundle', suite, peers };
  }
  if (type === SELF_PREKEYS) {
    const count = reader.u16();
    if (reader.left < count * 4) throw badAnswer('shorter than its own count demands');
    return { kind: 'selfOneTimePrekeys', suite, ids: Array.from({ length: count }, () => reader.u32()) };
  }
  const request = ACKNOWLEDGED.find((kind) => TYPES[kind] === type);
  if (!request) throw badAnswer('a type that no server sends');
  return { kind: 'ack', suite, request };
}

const ACKNOWLEDGED: readonly LimeRequestKind[] = [
  'registerIdentity',
  'registerUser',
  'deleteUser',
  'postSignedPrekey',
  'postOneTimePrekeys',
];

function readPeer(reader: BigEndianReader, suite: ServedSuite): LimePeer {
  const { x, ed, signature } = LIME_SUITES[suite];
  const device = textOf(reader.take(reader.u16()));
  if (device === undefined) throw badAnswer('a device id that is not UTF-8');
  const flag = reader.u8();
  if (flag === FLAG_NO_BUNDLE) return { device };
  if (flag !== FLAG_WITHOUT_OPK && flag !== FLAG_WITH_OPK) throw badAnswer('an unknown flag');
  const identityKey = reader.take(ed);
  const publicKey = reader.take(x);
  // Here the id comes before the signature, in requests after it (section 3.3).
  const id = reader.u32();
  const signedPrekey = { id, publicKey, signature: reader.take(signature) };
  if (flag === FLAG_WITHOUT_OPK) return { device, bundle: { identityKey, signedPrekey } };
  return {
    device,
    bundle: { identityKey, signedPrekey, oneTimePrekey: { publicKey: reader.take(x), id: reader.u32() } },
  };
}

function writePeer(writer: BigEndianWriter, { device, bundle }: LimePeer): void {
  writeText(writer, device);
  if (!bundle) {
    writer.u8(FLAG_NO_BUNDLE);
    return;
  }
  const { identityKey, signedPrekey, oneTimePrekey } = bundle;
  writer.u8(oneTimePrekey ? FLAG_WITH_OPK : FLAG_WITHOUT_OPK).raw(identityKey);
  writer.raw(signedPrekey.publicKey).u32(signedPrekey.id).raw(signedPrekey.signature);
  if (oneTimePrekey) writer.raw(oneTimePrekey.publicKey).u32(oneTimePrekey.id);
}

function writeSignedPrekey(writer: BigEndianWriter, key: LimeSignedPrekey): void {
  writer.raw(key.publicKey).raw(key.signature).u32(key.id);
}

function writeOneTimePrekeys(writer: BigEndianWriter, keys: readonly LimeOneTimePrekey[]): void {
  writer.u16(keys.length);
  for (const key of keys) writer.raw(key.publicKey).u32(key.id);
}

function writeText(writer: BigEndianWriter, text: string): void {
  const bytes = encoder.encode(text);
  if (bytes.length > 0xffff) throw new WireError('bad-device-id', 'a device id has at most 65,535 bytes');
  writer.u16(bytes.length).raw(bytes);
}

function headerOf(type: number, curveId: number): BigEndianWriter {
  return new BigEndianWriter().u8(VERSION).u8(type).u8(curveId);
}

function curveOf(curveId: number): ServedSuite | undefined {
  return SUITE_NAMES.find((name) => LIME_SUITES[name].id === curveId);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function badAnswer(what: string): WireError {
  return new WireError('bad-lime-answer', what);
}

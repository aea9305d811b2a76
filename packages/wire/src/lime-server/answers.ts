/** Answers of the key server. */
import { BigEndianReader, type BigEndianWriter } from '../big-endian.ts';
import { WireError } from '../wire-error.ts';
import { encoder, headerOf, TYPES, textOf, VERSION, writeText } from './framing.ts';
import {
  LIME_SUITES,
  type LimeAnswer,
  type LimePeer,
  type LimeRequestError,
  type LimeRequestKind,
  type ServedSuite,
} from './messages.ts';

const PEER_BUNDLE = 0x06;
const SELF_PREKEYS = 0x08;
const ERROR = 0xff;
const FLAG_WITHOUT_OPK = 0;
const FLAG_WITH_OPK = 1;
const FLAG_NO_BUNDLE = 2;

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

function badAnswer(what: string): WireError {
  return new WireError('bad-lime-answer', what);
}

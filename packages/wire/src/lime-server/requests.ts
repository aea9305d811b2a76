/** Requests to the key server: read in the order of sections 4.1 and 4.2, since the first failure decides the error that liblime gets to see. */
import { BigEndianReader, type BigEndianWriter } from '../big-endian.ts';
import { LIMITS } from '../limits.ts';
import { HEADER, headerOf, TYPES, textOf, VERSION, writeText } from './framing.ts';
import {
  LIME_SUITES,
  type LimeErrorName,
  type LimeOneTimePrekey,
  type LimeRequest,
  LimeRequestError,
  type LimeSignedPrekey,
  type ServedSuite,
  SUITE_NAMES,
} from './messages.ts';

/** What one request may ask for. */
export interface LimeRequestLimits {
  readonly oneTimePrekeys: number;
  readonly devices: number;
}

const DEFAULT_LIMITS: LimeRequestLimits = {
  oneTimePrekeys: LIMITS.prekeysPerDevice.value,
  devices: LIMITS.bundlesPerRequest.value,
};

/** Larger ids would be negative in liblime's columns (section 2.2). */
const MAX_KEY_ID = 0x7fff_ffff;

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

function writeSignedPrekey(writer: BigEndianWriter, key: LimeSignedPrekey): void {
  writer.raw(key.publicKey).raw(key.signature).u32(key.id);
}

function writeOneTimePrekeys(writer: BigEndianWriter, keys: readonly LimeOneTimePrekey[]): void {
  writer.u16(keys.length);
  for (const key of keys) writer.raw(key.publicKey).u32(key.id);
}

function curveOf(curveId: number): ServedSuite | undefined {
  return SUITE_NAMES.find((name) => LIME_SUITES[name].id === curveId);
}

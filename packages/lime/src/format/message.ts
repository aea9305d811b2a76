/** The Double Ratchet message and its header (lime-protocol section 7.3). Layout only. */
import type { Kem, LimeSuite } from '@sealwire/crypto/port';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { LimeError } from '../errors.ts';
import { PeerDhKey } from '../keys/dh-keys.ts';
import { KEM_INDEX_BYTES } from '../keys/kem-keys.ts';
import { decodeX3dhInit, type X3dhInit } from './x3dh-init.ts';

/** The GCM tag at the end of every ciphertext. */
export const TAG_BYTES = 16;
/** What a message of the seed form carries instead of the plaintext. */
export const SEED_BYTES = 32;

const VERSION = 0x01;
/** Type bit 0: an X3DH init follows the third byte. */
const WITH_INIT = 0x01;
/** Type bit 1: the payload is the plaintext; clear: it is the seed of a cipherMessage. Other bits are authenticated and ignored. */
const DIRECT = 0x02;
/** Type bit 2, hybrid suites only: the KEM keys are named by their indexes. */
const KEM_INDEXES = 0x04;

const NO_PARTS: readonly Uint8Array[] = [];

/** The KEM part of a header, in hybrid suites. */
export type KemHeader =
  /** Long form: a KEM step was made with the ciphertext, and the public key is for the next one. */
  | { readonly form: 'keys'; readonly publicKey: Uint8Array; readonly ciphertext: Uint8Array }
  /** Short form: both sides know the keys. `sender`'s and `receiver`'s are named by their indexes. */
  | { readonly form: 'indexes'; readonly sender: Uint8Array; readonly receiver: Uint8Array };

export interface RatchetMessage {
  readonly direct: boolean;
  readonly init: X3dhInit | undefined;
  /** Ns: number in its chain. */
  readonly number: number;
  /** PN: length of the sender's chain before. */
  readonly previousLength: number;
  /** DHs of the sender. */
  readonly key: PeerDhKey;
  /** Undefined in classical suites. */
  readonly kem: KemHeader | undefined;
  /** The header as received, for the associated data. */
  readonly header: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

/**
 * u8 version | u8 type | u8 curve id | [X3DH init] | u16 Ns | u16 PN | DHs[x], and in hybrid suites
 * | KEM public key | ciphertext, or | index of the sender's KEM key[12] | index of the receiver's[12].
 */
export function encodeHeader(
  suite: LimeSuite,
  direct: boolean,
  init: Uint8Array | undefined,
  number: number,
  previousLength: number,
  key: Uint8Array,
  kem?: KemHeader,
): Uint8Array {
  const kemParts = kemPartsOf(kem);
  const kemLength = kemParts.reduce((sum, part) => sum + part.length, 0);
  const writer = new ByteWriter(3 + (init?.length ?? 0) + 4 + suite.dh.keyLength + kemLength)
    .u8(VERSION)
    .u8((init ? WITH_INIT : 0) | (direct ? DIRECT : 0) | (kem?.form === 'indexes' ? KEM_INDEXES : 0))
    .u8(suite.id);
  if (init) writer.bytes(init);
  writer.u16(number).u16(previousLength).bytes(key);
  for (const part of kemParts) writer.bytes(part);
  return writer.finish();
}

function kemPartsOf(kem: KemHeader | undefined): readonly Uint8Array[] {
  if (!kem) return NO_PARTS;
  return kem.form === 'keys' ? [kem.publicKey, kem.ciphertext] : [kem.sender, kem.receiver];
}

/** Throws LimeError `malformed` or `wrong-curve`. `direct` is what the caller expects: no cipherMessage came along. */
export function decodeMessage(suite: LimeSuite, message: Uint8Array, direct: boolean): RatchetMessage {
  const reader = new ByteReader(message, 'malformed', 'message');
  if (reader.u8() !== VERSION) reader.fail('unknown version');
  const type = reader.u8();
  if (reader.u8() !== suite.id) {
    throw new LimeError('wrong-curve', `the message is not of the receiving device's suite, ${suite.name}`);
  }
  const isDirect = (type & DIRECT) !== 0;
  if (isDirect !== direct) reader.fail(isDirect ? 'it needs no cipherMessage' : 'its cipherMessage is missing');
  const init = (type & WITH_INIT) !== 0 ? decodeX3dhInit(reader, suite) : undefined;
  const number = reader.u16();
  const previousLength = reader.u16();
  const key = new PeerDhKey(reader.bytes(suite.dh.keyLength));
  const kem = suite.kem && decodeKemHeader(reader, suite.kem, (type & KEM_INDEXES) !== 0);
  const header = message.subarray(0, reader.position);
  const sealed = message.subarray(reader.position);
  if (sealed.length < TAG_BYTES) reader.fail('too short');
  if (!direct && sealed.length !== SEED_BYTES + TAG_BYTES) reader.fail('a seed has 32 bytes');
  return { direct, init, number, previousLength, key, kem, header, sealed };
}

function decodeKemHeader(reader: ByteReader, kem: Kem, byIndexes: boolean): KemHeader {
  if (byIndexes) {
    return { form: 'indexes', sender: reader.bytes(KEM_INDEX_BYTES), receiver: reader.bytes(KEM_INDEX_BYTES) };
  }
  const publicKey = reader.bytes(kem.publicKeyLength);
  // Found here, at its sender's cost: later, encapsulating to it would fail a message of ours, and everybody else's copy with it.
  if (!kem.isValidPublicKey(publicKey)) reader.fail('a KEM key that is none');
  return { form: 'keys', publicKey, ciphertext: reader.bytes(kem.ciphertextLength) };
}

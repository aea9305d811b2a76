/**
 * The file of an export (docs/spec/history.md section 5):
 *
 *   "sealwire history 1\n" ‖ u8 cost ‖ salt[16] ‖ FLOE header[74] ‖ FLOE segments of 64 KiB
 *   inside: u32 length ‖ record, again and again; a record is { "conversation": … } and a page of its messages
 *
 * The key is scrypt's of a passphrase; the first 36 bytes are FLOE's associated data. Both ways a segment and a page are in memory, whatever
 * the length of the file.
 */
import {
  FLOE_64K,
  FLOE_HEADER_BYTES,
  FLOE_SEGMENT_OVERHEAD,
  FloeDecryptor,
  FloeEncryptor,
  type FloePrimitives,
  FloeReader,
} from '@sealwire/crypto/floe';
import { keyOfPassphrase, SCRYPT_COST } from '@sealwire/crypto/passphrase';
import { CryptoError, type RandomBytes } from '@sealwire/crypto/port';
import { type AccountAddress, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { decodeEntries, type Entry, encodeEntries } from './history-message.ts';

const MAGIC = new TextEncoder().encode('sealwire history 1\n');
const SALT_BYTES = 16;
const PREFIX_BYTES = MAGIC.length + 1 + SALT_BYTES;
const LENGTH_BYTES = 4;
const ROOM = FLOE_64K.segmentBytes - FLOE_SEGMENT_OVERHEAD;
/** A page has 32 KiB of bodies; one message alone 72 KiB, and what edits make of it. */
const RECORD_BYTES = 512 * 1_024;
/** Memory that a file may ask for: 1 MiB to 256 MiB. */
const LEAST_COST = 10;
const MOST_COST = 18;
const SHORTEST_PASSPHRASE = 8;

/** Messages of one conversation, in order. */
export interface ExportedPage {
  readonly conversation: AccountAddress;
  readonly entries: readonly Entry[];
}

export interface FileTools {
  readonly floe: FloePrimitives;
  readonly random: RandomBytes;
}

/** The bytes of the file. Throws `bad-request` for a passphrase of less than 8 characters. */
export async function* sealedPages(
  tools: FileTools,
  passphrase: string,
  pages: AsyncIterable<ExportedPage>,
  cost: number = SCRYPT_COST,
): AsyncGenerator<Uint8Array, void, undefined> {
  if ([...passphrase].length < SHORTEST_PASSPHRASE)
    throw new ClientError('bad-request', `a passphrase has at least ${SHORTEST_PASSPHRASE} characters`);
  const prefix = new Uint8Array([...MAGIC, cost, ...tools.random(SALT_BYTES)]);
  const key = await keyOfPassphrase(passphrase, prefix.subarray(-SALT_BYTES), cost);
  const encryptor = await FloeEncryptor.start(tools.floe, tools.random, key, prefix);
  yield prefix;
  yield encryptor.header;
  const queue = new ByteQueue();
  for await (const { conversation, entries } of pages) {
    const record = encodeRecord({ conversation }, encodeEntries(entries));
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, record.length);
    queue.push(length);
    queue.push(record);
    while (queue.length > ROOM) yield await encryptor.encryptSegment(queue.take(ROOM));
  }
  yield await encryptor.encryptLastSegment(queue.take(queue.length));
}

/**
 * The pages of a file, each when it has proved genuine. Throws `wrong-passphrase`, and `bad-file` for what is no such file, was changed or cut
 * short: what came before that is genuine.
 */
export async function* openedPages(
  { floe }: Pick<FileTools, 'floe'>,
  passphrase: string,
  file: AsyncIterable<Uint8Array>,
): AsyncGenerator<ExportedPage, void, undefined> {
  const queue = new ByteQueue();
  for await (const plaintext of segments(floe, passphrase, file)) {
    queue.push(plaintext);
    while (queue.length >= LENGTH_BYTES) {
      const length = new DataView(queue.peek(LENGTH_BYTES).buffer).getUint32(0);
      if (length > RECORD_BYTES) throw badFile('it holds what no export does');
      if (queue.length < LENGTH_BYTES + length) break;
      queue.take(LENGTH_BYTES);
      yield pageOf(queue.take(length));
    }
  }
  if (queue.length > 0) throw badFile('it holds what no export does');
}

async function* segments(
  floe: FloePrimitives,
  passphrase: string,
  file: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const queue = new ByteQueue();
  let decryptor: FloeDecryptor | undefined;
  for await (const bytes of file) {
    queue.push(bytes);
    if (!decryptor && queue.length >= PREFIX_BYTES + FLOE_HEADER_BYTES)
      decryptor = await opening(floe, passphrase, queue.take(PREFIX_BYTES), queue.take(FLOE_HEADER_BYTES));
    while (decryptor && queue.length > FLOE_64K.segmentBytes) {
      // With more behind it, it is not the last one, whatever it says.
      if (decryptor.closed) throw badFile('there is something behind its end');
      yield await opened(decryptor, queue.take(FLOE_64K.segmentBytes));
    }
  }
  if (!decryptor) throw badFile('it is too short for one');
  if (!decryptor.closed) yield await opened(decryptor, queue.take(queue.length));
  if (!decryptor.closed || queue.length > 0) throw badFile('it is cut short');
}

async function opening(
  floe: FloePrimitives,
  passphrase: string,
  prefix: Uint8Array,
  header: Uint8Array,
): Promise<FloeDecryptor> {
  if (MAGIC.some((byte, at) => prefix[at] !== byte)) throw badFile('it begins otherwise, or is of a newer version');
  const cost = prefix[MAGIC.length]!;
  if (cost < LEAST_COST || cost > MOST_COST) throw badFile('its key would cost more than a key may');
  const key = await keyOfPassphrase(passphrase, prefix.subarray(-SALT_BYTES), cost);
  try {
    return new FloeDecryptor(await FloeReader.start(floe, key, prefix, header));
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ClientError('wrong-passphrase', 'that passphrase does not open this file: try again', { cause });
  }
}

async function opened(decryptor: FloeDecryptor, segment: Uint8Array): Promise<Uint8Array> {
  try {
    return await decryptor.decryptSegment(segment);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw badFile('it was changed, or cut short', cause);
  }
}

/** Whoever has the passphrase can have written it: its fields are looked at. */
function pageOf(record: Uint8Array): ExportedPage {
  try {
    const { header, blob } = decodeRecord<{ conversation: string }>(record);
    const conversation = parseAccountAddress(header.conversation);
    const entries = decodeEntries(blob, conversation);
    for (const { place, message } of entries) {
      parseAccountAddress(message.from);
      parseDeviceId(message.device);
      const numbers = [...place, message.sentAt].every((number) => Number.isSafeInteger(number) && number >= 0);
      const isNamed = typeof message.id === 'string' && message.id.length > 0 && message.id.length <= 128;
      if (!numbers || !isNamed || /\s/.test(message.id) || typeof message.type !== 'string')
        throw new TypeError('no message');
    }
    return { conversation, entries };
  } catch (cause) {
    throw badFile('it holds what no export does', cause);
  }
}

function badFile(why: string, cause?: unknown): ClientError {
  return new ClientError('bad-file', `this is no whole export of a history (${why}): take another copy of it`, {
    cause,
  });
}

/** Bytes that come in pieces and are wanted in others. */
class ByteQueue {
  #pieces: Uint8Array[] = [];
  length = 0;

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.length += piece.length;
  }

  /** At most as many as there are. */
  take(length: number): Uint8Array {
    const taken = this.peek(length);
    this.length -= taken.length;
    let left = taken.length;
    while (left > 0) {
      const first = this.#pieces[0]!;
      if (first.length > left) this.#pieces[0] = first.subarray(left);
      else this.#pieces.shift();
      left -= Math.min(left, first.length);
    }
    return taken;
  }

  /** A copy. */
  peek(length: number): Uint8Array {
    const taken = new Uint8Array(Math.min(length, this.length));
    let at = 0;
    for (const piece of this.#pieces) {
      if (at === taken.length) break;
      const part = piece.subarray(0, taken.length - at);
      taken.set(part, at);
      at += part.length;
    }
    return taken;
  }
}

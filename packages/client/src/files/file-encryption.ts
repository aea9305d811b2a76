/**
 * Encrypts one file as it is read: padding and FLOE of docs/spec/files.md sections 1 and 2. Memory is a segment, whatever the size.
 */
import { FloeEncryptor, type FloePrimitives } from '@sealwire/crypto/floe';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import {
  FILE_SEGMENT_ROOM,
  fileSegments,
  LARGEST_FILE,
  paddedFileSize,
  sealedFileSize,
} from '@sealwire/wire/file-sizes';
import { ClientError } from '../errors.ts';

/** Associated data of every file: its key opens it as nothing else. */
export const FILE_AD = new TextEncoder().encode('sealwire file 1');
const KEY_BYTES = 32;

export interface FileParts {
  readonly floe: FloePrimitives;
  readonly sha256Stream: CryptoProvider['sha256Stream'];
  readonly random: RandomBytes;
}

/** One file, once: under a key of its own, which a second run over the same bytes would not have. */
export class FileEncryption {
  readonly #parts: FileParts;
  readonly #size: number;
  readonly #plaintext: AsyncIterable<Uint8Array>;
  readonly #key: Uint8Array;
  #started = false;
  #digest: Uint8Array | undefined;

  /** `plaintext`: pieces of any length, `size` bytes in all. Throws `bad-file` for a size that no file has. */
  constructor(parts: FileParts, size: number, plaintext: AsyncIterable<Uint8Array>) {
    if (!Number.isSafeInteger(size) || size < 0 || size > LARGEST_FILE)
      throw new ClientError('bad-file', `a file has at most ${LARGEST_FILE} bytes`);
    this.#parts = parts;
    this.#size = size;
    this.#plaintext = plaintext;
    this.#key = parts.random(KEY_BYTES);
  }

  /** Bytes of all that `bytes` answers: what an upload declares. */
  get sealedSize(): number {
    return sealedFileSize(this.#size);
  }

  /** What goes into the descriptor. Throws `bad-file` before `bytes` has come to its end. */
  get sealed(): SealedFile {
    if (!this.#digest) throw new ClientError('bad-file', 'the file is not encrypted to its end yet');
    return { key: this.#key.slice(), digest: this.#digest.slice(), size: this.#size, sealedSize: this.sealedSize };
  }

  /** The encrypted file: header, then segment after segment. Throws `file-changed` when the file is not as long as was said; `bad-file` when called twice. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#started) throw new ClientError('bad-file', 'a file is encrypted once: begin a new encryption');
    this.#started = true;
    const { floe, sha256Stream, random } = this.#parts;
    const hash = sha256Stream();
    const encryptor = await FloeEncryptor.start(floe, random, this.#key, FILE_AD);
    hash.update(encryptor.header);
    yield encryptor.header;
    const last = fileSegments(this.#size) - 1;
    let position = 0;
    for await (const room of this.#rooms()) {
      const segment = await (position++ === last ? encryptor.encryptLastSegment(room) : encryptor.encryptSegment(room));
      hash.update(segment);
      yield segment;
    }
    this.#digest = hash.digest();
  }

  /** The padded file in pieces of a segment's room. The piece is overwritten when the next one is asked for. */
  async *#rooms(): AsyncGenerator<Uint8Array, void, undefined> {
    const room = new Uint8Array(FILE_SEGMENT_ROOM);
    let used = 0;
    let read = 0;
    for await (const piece of this.#plaintext) {
      read += piece.length;
      if (read > this.#size) throw changed();
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + room.length - used);
        room.set(part, used);
        used += part.length;
        at += part.length;
        if (used < room.length) continue;
        yield room;
        used = 0;
      }
    }
    if (read !== this.#size) throw changed();
    let left = paddedFileSize(this.#size) - (read - used);
    for (; left > 0; left -= room.length) {
      room.fill(0, used);
      yield room.subarray(0, left);
      used = 0;
    }
  }
}

function changed(): ClientError {
  return new ClientError('file-changed', 'the file changed its length while it was read: send it again');
}

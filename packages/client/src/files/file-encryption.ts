/**
 * Encrypts one file as it is read: padding and FLOE of docs/spec/files.md sections 1 and 2. Memory is a segment, whatever the size.
 */
import { FloeEncryptor, type FloePrimitives } from '@sealwire/crypto/floe';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import { FILE_SEGMENT_ROOM, fileSegments, sealedFileSize } from '@sealwire/wire/file-sizes';
import { ClientError } from '../errors.ts';
import { paddedPieces, requireFileSize } from './padded-pieces.ts';

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
    requireFileSize(size);
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
    for await (const room of paddedPieces(this.#plaintext, this.#size, FILE_SEGMENT_ROOM)) {
      const segment = await (position++ === last ? encryptor.encryptLastSegment(room) : encryptor.encryptSegment(room));
      hash.update(segment);
      yield segment;
    }
    this.#digest = hash.digest();
  }
}

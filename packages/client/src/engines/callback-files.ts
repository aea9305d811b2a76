/**
 * Files under an engine of callbacks (docs/spec/engines.md section 6): the padded file in chunks, each changed by the engine on its own, in
 * a slot of its own that begins with how long it became. So chunks keep their place, a part of a file can be read, and the length tells
 * nothing of what is in it. That it is the sender's file is shown by its digest, at its end; in between by the engine, if it does that.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { SealedFile } from '@sealwire/wire/file-descriptor';
import { ENGINE_CHUNK_BYTES, ENGINE_LENGTH_BYTES, engineFileSize, paddedFileSize } from '@sealwire/wire/file-sizes';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import { cut, lengthsOf } from '../files/cut.ts';
import { badFile, type ReadSealed } from '../files/file-decryption.ts';
import { paddedPieces, requireFileSize } from '../files/padded-pieces.ts';
import type { EncryptingFile, FileHooks } from './engine.ts';

const KEY_BYTES = 32;
const SLOT_BYTES = ENGINE_LENGTH_BYTES + ENGINE_CHUNK_BYTES;

export interface FileChunk {
  /** Of `generateFileKey`. */
  readonly key: Uint8Array;
  /** Of the chunk in the file: a multiple of 65,536. */
  readonly offset: number;
  /** At most 65,536 bytes, and only until the callback returns. */
  readonly chunk: Uint8Array;
}

/** The changed chunk; or a status code of SIP, with which the transfer ends. */
export type ChunkResult = Uint8Array | number;

export interface FileCallbacks {
  /** False (IMEE: -1): the file goes under the first engine that encrypts files, as if this one had not been chosen. */
  isEncryptionEnabledForFileTransfer(conversation: AccountAddress): boolean;
  /** 32 bytes, for one file; they travel in its descriptor. */
  generateFileKey(conversation: AccountAddress): Uint8Array;
  /** May become smaller, never larger. */
  processUploadingFile(chunk: FileChunk): ChunkResult;
  /** Gets what `processUploadingFile` answered, at the same offset, and answers as many bytes as that got. */
  processDownloadingFile(chunk: FileChunk): ChunkResult;
}

/** For `EngineCallbacks.files`. `id`: of the engine; `crypto`: of its setup. */
export function callbackFiles(id: string, callbacks: FileCallbacks, crypto: CryptoProvider): FileHooks {
  const done = (result: ChunkResult): Uint8Array => {
    if (typeof result === 'number') throw failed(id, `it refused the file (${result})`);
    return result;
  };

  /** Slots of the sealed file, opened; `position`: of the first. */
  async function* opened(file: SealedFile, sealed: AsyncIterable<Uint8Array>, position: number, to: number) {
    const padded = paddedFileSize(file.size);
    let offset = position * ENGINE_CHUNK_BYTES;
    for await (const slot of cut(sealed, lengthsOf(to - position * SLOT_BYTES, SLOT_BYTES, SLOT_BYTES), badFile)) {
      const length = new DataView(slot.buffer, slot.byteOffset).getUint32(0);
      const room = Math.min(ENGINE_CHUNK_BYTES, padded - offset);
      if (length > room) throw badFile();
      const chunk = slot.subarray(ENGINE_LENGTH_BYTES, ENGINE_LENGTH_BYTES + length);
      const plaintext = done(callbacks.processDownloadingFile({ key: file.key, offset, chunk }));
      if (plaintext.length !== room) throw badFile();
      yield { slot, offset, plaintext };
      offset += ENGINE_CHUNK_BYTES;
    }
  }

  return {
    takes: (conversation) => callbacks.isEncryptionEnabledForFileTransfer(conversation),
    encrypt(size, plaintext, conversation) {
      requireFileSize(size);
      if (conversation === undefined) throw failed(id, 'it encrypts files of a conversation only: say to whom it goes');
      const key = callbacks.generateFileKey(conversation).slice();
      if (key.length !== KEY_BYTES) throw failed(id, `its file key has ${key.length} bytes instead of ${KEY_BYTES}`);
      const change = (offset: number, chunk: Uint8Array) => {
        const changed = done(callbacks.processUploadingFile({ key, offset, chunk }));
        if (changed.length > chunk.length) throw failed(id, 'it made a file larger than it was');
        return changed;
      };
      return encrypting(size, key, slots(paddedPieces(plaintext, size, ENGINE_CHUNK_BYTES), change), crypto);
    },
    async *decrypt(file, sealed) {
      requireSizes(file);
      const hash = crypto.sha256Stream();
      let held: Uint8Array | undefined;
      for await (const { slot, offset, plaintext } of opened(file, sealed, 0, file.sealedSize)) {
        hash.update(slot);
        const data = plaintext.subarray(0, Math.max(0, file.size - offset));
        if (data.length === 0) continue;
        if (held) yield held;
        held = data.slice();
      }
      if (!crypto.equal(hash.digest(), file.digest)) throw badFile();
      if (held) yield held;
    },
    async *decryptRange(file, read: ReadSealed, start, end) {
      requireSizes(file);
      if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > file.size)
        throw new ClientError('bad-file', `this file has bytes from 0 to ${file.size}`);
      if (start === end) return;
      const position = Math.floor(start / ENGINE_CHUNK_BYTES);
      const to = Math.min(file.sealedSize, Math.ceil(end / ENGINE_CHUNK_BYTES) * SLOT_BYTES);
      let came = start;
      for await (const { offset, plaintext } of opened(file, read(position * SLOT_BYTES, to), position, to)) {
        const part = plaintext.slice(came - offset, end - offset);
        came += part.length;
        yield part;
      }
      if (came < end) throw badFile();
    },
  };
}

async function* slots(
  chunks: AsyncIterable<Uint8Array>,
  change: (offset: number, chunk: Uint8Array) => Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  for await (const chunk of chunks) {
    const changed = change(offset, chunk);
    const slot = new Uint8Array(ENGINE_LENGTH_BYTES + chunk.length);
    new DataView(slot.buffer).setUint32(0, changed.length);
    slot.set(changed, ENGINE_LENGTH_BYTES);
    yield slot;
    offset += chunk.length;
  }
}

function encrypting(
  size: number,
  key: Uint8Array,
  sealed: AsyncIterable<Uint8Array>,
  crypto: CryptoProvider,
): EncryptingFile {
  const sealedSize = engineFileSize(size);
  let digest: Uint8Array | undefined;
  return {
    sealedSize,
    get sealed() {
      if (!digest) throw new ClientError('bad-file', 'the file is not encrypted to its end yet');
      return { key, digest, size, sealedSize };
    },
    async *bytes() {
      const hash = crypto.sha256Stream();
      for await (const slot of sealed) {
        hash.update(slot);
        yield slot;
      }
      digest = hash.digest();
    },
  };
}

function requireSizes({ size, sealedSize }: SealedFile): void {
  if (sealedSize !== engineFileSize(size)) throw badFile();
}

function failed(id: string, text: string): ClientError {
  return new ClientError('engine-failed', `the engine ${id}: ${text}`);
}

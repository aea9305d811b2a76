/**
 * Documents of one collection in a file, one BSON document after another, as `mongodump` writes them and `bsondump` shows them. What is
 * read is checked: a document that does not end where it says is damage, and a file has the bytes and the checksum of its note.
 */
import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { mongo } from 'mongoose';
import { StoreError } from '../port.ts';
import type { FileNote } from './note.ts';

const LENGTH_BYTES = 4;
/** The shortest: its length, and a zero. */
const LEAST_BYTES = 5;
/** What a server takes, and some more. */
const MOST_BYTES = 17 << 20;

export class DocumentWriter {
  readonly #file: number;
  #note: FileNote = { documents: 0, bytes: 0, check: 0 };

  /** Throws when it is there. */
  constructor(path: string) {
    this.#file = openSync(path, 'wx', 0o600);
  }

  put(document: object): void {
    const bytes = mongo.BSON.serialize(document);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    const { documents, bytes: before, check } = this.#note;
    this.#note = { documents: documents + 1, bytes: before + bytes.length, check: crc32(bytes, check) };
  }

  /** Durable when it returns. */
  end(): FileNote {
    fsyncSync(this.#file);
    this.close();
    return this.#note;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All that are there, one by one. Rejects with `corrupt` at the first that is damaged, or at the end when the file is not as noted. */
export async function* readDocuments(path: string, note: FileNote): AsyncGenerator<Record<string, unknown>> {
  let rest: Buffer = Buffer.alloc(0);
  let [documents, bytes, check] = [0, 0, 0];
  const damaged = (cause?: unknown) =>
    new StoreError('corrupt', `${path} is damaged, after ${documents} documents; use another backup`, { cause });
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      bytes += piece.length;
      check = crc32(piece, check);
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let at = 0;
      while (rest.length - at >= LENGTH_BYTES) {
        const length = rest.readInt32LE(at);
        if (length < LEAST_BYTES || length > MOST_BYTES) throw damaged();
        if (rest.length - at < length) break;
        const document = mongo.BSON.deserialize(rest.subarray(at, at + length), { promoteBuffers: true });
        documents++;
        yield document as Record<string, unknown>;
        at += length;
      }
      rest = rest.subarray(at);
    }
  } catch (error) {
    throw error instanceof StoreError ? error : damaged(error);
  }
  if (rest.length > 0 || documents !== note.documents || bytes !== note.bytes || check !== note.check) throw damaged();
}

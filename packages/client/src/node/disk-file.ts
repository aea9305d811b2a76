/** A file of the disk as something to upload: read as it is sent, never as a whole. */
import { type FileHandle, open } from 'node:fs/promises';
import type { FileSource } from '../files/file-source.ts';

const PIECE_BYTES = 1 << 20;

export interface DiskFile extends FileSource {
  /** Idempotent. */
  close(): Promise<void>;
}

/** Stays the same file when its name is given to another one. Throws what the system says (`ENOENT`, `EACCES`, …), and `EISDIR`. */
export async function openDiskFile(path: string): Promise<DiskFile> {
  const handle = await open(path, 'r');
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw Object.assign(new Error(`${path} is no file`), { code: 'EISDIR' });
  }
  return { size: stats.size, read: () => piecesOf(handle), close: () => handle.close() };
}

/** The piece is overwritten when the next one is asked for. */
async function* piecesOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

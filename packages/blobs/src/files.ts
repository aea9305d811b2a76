/**
 * Files in a folder of this machine, for one server process or several on the same disk.
 *
 *   uploads/ID.TIME/   what is being sent: `bytes`, and of each part that is whole a file with its number for a name
 *   files/XX/ID/       what is whole: the same folder, moved here by one rename
 *   leaving/           what is being deleted
 *
 * Parts stay apart for good: nothing is copied when a file becomes whole, and a part that breaks off has no name yet.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { partBytesOf, partsOf } from './parts.ts';
import { BlobError, type Blobs, type ByteRange, type Part, type Upload } from './port.ts';

/** Kept free for what else is on that disk: a store that cannot write takes no messages. */
const RESERVE_BYTES = 256 << 20;
const FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Of parts that this process has begun: with its number and when it began, no name that another one could have left. */
let written = 0;
/** Holds the declared size of the whole. */
const SIZE_FILE = 'bytes';

export interface FileBlobsOptions {
  /** Made when it is missing, for this user only. */
  readonly folder: string;
  /** Of the disk; of the system unless given. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** What a backup keeps of such a folder. */
export function wholeFilesIn(folder: string): string {
  return join(folder, 'files');
}

/** Rejects with a `BlobError` of one line when the folder cannot be used. */
export async function openFileBlobs({ folder, freeBytes = freeOn }: FileBlobsOptions): Promise<Blobs> {
  const [uploads, files, leaving] = [join(folder, 'uploads'), wholeFilesIn(folder), join(folder, 'leaving')];
  try {
    for (const path of [uploads, files, leaving]) await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BlobError(
      'unavailable',
      `the folder ${folder} cannot be used for files (${code}): give this user the right to write there, or name another one`,
      { cause: error },
    );
  }

  const uploadFolder = ({ handle }: Upload) => join(uploads, handle);
  const fileFolder = (id: string) => join(files, id.slice(0, 2), id);

  async function demandRoom(bytes: number): Promise<void> {
    if ((await freeBytes(folder)) < bytes + RESERVE_BYTES) throw full(folder);
  }

  /** By a name that no reader looks for, and then for good: an end in between leaves nothing that is half there. */
  async function remove(path: string): Promise<void> {
    const gone = join(leaving, basename(path));
    try {
      await rename(path, gone);
    } catch (error) {
      if (isMissing(error)) return;
      throw failure(error, folder);
    }
    await rm(gone, { recursive: true, force: true });
  }

  async function size(id: string): Promise<number | undefined> {
    try {
      return Number(await readFile(join(fileFolder(id), SIZE_FILE), 'utf8'));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw failure(error, folder);
    }
  }

  return {
    way: {
      by: 'streams',

      async writePart(upload, part, body) {
        await demandRoom(part.bytes);
        const unnamed = join(
          uploadFolder(upload),
          `${part.number}.${process.pid}.${performance.timeOrigin}.${written++}`,
        );
        try {
          await writeWhole(unnamed, part, body);
          await rename(unnamed, join(uploadFolder(upload), String(part.number)));
          await sync(uploadFolder(upload));
        } catch (error) {
          await rm(unnamed, { force: true }).catch(() => {});
          throw failure(error, folder);
        }
      },

      async read(id, range) {
        const bytes = await size(id);
        if (bytes === undefined) throw new BlobError('not-found', 'no such file');
        return pieces(fileFolder(id), bytes, range);
      },
    },

    async begin(id, bytes, now) {
      await demandRoom(bytes);
      const handle = `${id}.${now}`;
      const path = join(uploads, handle);
      try {
        await mkdir(path, { recursive: true, mode: 0o700 });
        await writeDurably(join(path, SIZE_FILE), String(bytes));
        await sync(path);
        await sync(uploads);
      } catch (error) {
        throw failure(error, folder);
      }
      return handle;
    },

    partsThere: (upload) => wholeParts(uploadFolder(upload), upload.bytes),

    async complete(upload) {
      const path = uploadFolder(upload);
      const there = new Set(await wholeParts(path, upload.bytes));
      const missing = partsOf(upload.bytes).filter(({ number }) => !there.has(number)).length;
      if (missing > 0) {
        // A repeat, if it is there.
        if ((await size(upload.id)) === upload.bytes) return tidy(fileFolder(upload.id));
        const begun = await stat(path).then(
          () => true,
          () => false,
        );
        if (!begun) throw new BlobError('not-found', 'no such upload');
        throw new BlobError('incomplete', `${missing} parts of the file are missing`);
      }
      const whole = fileFolder(upload.id);
      try {
        await mkdir(join(whole, '..'), { recursive: true, mode: 0o700 });
        await rename(path, whole);
        await sync(join(whole, '..'));
        await sync(files);
        await sync(uploads);
        await tidy(whole);
      } catch (error) {
        // The same call at the same time may have been faster.
        if (isMissing(error) && (await size(upload.id)) === upload.bytes) return;
        throw failure(error, folder);
      }
    },

    abort: (upload) => remove(uploadFolder(upload)),

    size,

    delete: (id) => remove(fileFolder(id)),

    async sweep(before) {
      for (const name of await readdir(leaving)) await rm(join(leaving, name), { recursive: true, force: true });
      const old = (await readdir(uploads)).filter((name) => Number(name.split('.')[1]) < before);
      for (const name of old) await remove(join(uploads, name));
      return old.length;
    },

    async close() {},
  };
}

async function writeWhole(path: string, { bytes }: Part, body: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    let received = 0;
    for await (const piece of body) {
      received += piece.length;
      if (received > bytes) throw wrongLength(bytes);
      await file.writeFile(piece);
    }
    if (received !== bytes) throw wrongLength(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What was made, renamed or removed in it is durable. */
async function sync(folder: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(folder, 'r');
    await file.sync();
  } finally {
    await file?.close();
  }
}

/** Numbers of the parts in `folder` that have their size; none when it is not there. */
async function wholeParts(folder: string, bytes: number): Promise<number[]> {
  const there: number[] = [];
  for (const { number, bytes: size } of partsOf(bytes)) {
    const found = await stat(join(folder, String(number))).catch(() => undefined);
    if (found?.size === size) there.push(number);
  }
  return there;
}

async function* pieces(folder: string, bytes: number, { first, last }: ByteRange): AsyncGenerator<Uint8Array> {
  const size = partBytesOf(bytes);
  for (let at = first; at <= last; ) {
    const number = Math.floor(at / size) + 1;
    const start = at - (number - 1) * size;
    const end = Math.min(size - 1, start + last - at);
    const file = await open(join(folder, String(number)), 'r');
    yield* file.createReadStream({ start, end });
    at += end - start + 1;
  }
}

/** What was being written of parts beside those that are whole would take room that nobody declared; no more can come. */
async function tidy(whole: string): Promise<void> {
  const left = (await readdir(whole)).filter((name) => name !== SIZE_FILE && !/^\d+$/.test(name));
  for (const name of left) await rm(join(whole, name), { force: true });
}

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function wrongLength(bytes: number): BlobError {
  return new BlobError('refused', `this part has ${bytes} bytes, no more and no less`);
}

function full(folder: string, options?: ErrorOptions): BlobError {
  return new BlobError('full', `no space left for files in ${folder}; free some`, options);
}

/** What `node:fs` threw, as the port says it; anything else, such as what a body threw, as it is. */
function failure(error: unknown, folder: string): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  if (FULL.has(code)) return full(folder, { cause: error });
  if (code === 'ENOENT') return new BlobError('not-found', 'no such upload or file', { cause: error });
  return new BlobError('unavailable', `the folder ${folder} cannot be written (${code})`, { cause: error });
}

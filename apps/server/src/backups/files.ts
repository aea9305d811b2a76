/**
 * The encrypted files of a backup: `files.jsonl` has a line for each that an account knew of, `files/XX/ID` what is in it, if it was copied.
 * Records first and files then: a file that is deleted in between is wanted by nobody.
 */
import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { partsOf } from '@sealwire/blobs/parts';
import { BlobError, type Blobs } from '@sealwire/blobs/port';
import { ConfigError } from '@sealwire/service/config';
import { z } from 'zod';

const LIST = 'files.jsonl';
const URL_LIFE_MS = 60 * 60_000;

/** `check`: CRC-32 of the copy; not there: it was listed only. */
const Line = z.object({
  id: z.string().regex(/^[\w-]{1,64}$/),
  bytes: z.int().min(1),
  check: z.int().min(0).optional(),
});
type FileLine = z.output<typeof Line>;

export interface FileMeans {
  readonly blobs: Blobs;
  readonly now: () => number;
  /** Of signed URLs. */
  readonly fetch: typeof fetch;
}

export interface Files {
  readonly files: number;
  readonly bytes: number;
  /** One line each. */
  readonly faults: readonly string[];
}

/** Writes list and copies into `folder`. A file that is not there, or has another size, is a fault. */
export async function keepFiles(
  means: FileMeans,
  folder: string,
  known: AsyncIterable<{ readonly id: string; readonly bytes: number }>,
  isCopied: boolean,
): Promise<Files> {
  const list = await open(join(folder, LIST), 'wx', 0o600);
  const faults: string[] = [];
  let [files, bytes] = [0, 0];
  try {
    for await (const { id, bytes: size } of known) {
      const there = await means.blobs.size(id);
      if (there !== size) {
        faults.push(`files: ${id} ${there === undefined ? 'is not there' : `has ${there} bytes, not ${size}`}`);
        continue;
      }
      const check = isCopied ? await copyOut(means, { id, bytes: size }, folder) : undefined;
      await list.writeFile(`${JSON.stringify({ id, bytes: size, check })}\n`);
      files++;
      bytes += size;
    }
    await list.sync();
  } finally {
    await list.close();
  }
  return { files, bytes, faults };
}

/** Whether the copies in a backup are whole. */
export async function verifyFiles(folder: string): Promise<Files> {
  const faults: string[] = [];
  let [files, bytes] = [0, 0];
  for (const line of await linesOf(folder)) {
    files++;
    bytes += line.bytes;
    if (line.check === undefined) continue;
    const path = copyOf(folder, line.id);
    const size = (await stat(path).catch(() => undefined))?.size;
    if (size !== line.bytes)
      faults.push(`files: ${line.id} ${size === undefined ? 'is missing' : 'has another length'}`);
    else if ((await checkOf(path)) !== line.check) faults.push(`files: ${line.id} is damaged`);
  }
  return { files, bytes, faults };
}

/** Puts copies back where they are missing, and looks for what was listed only: what is not there is a fault. */
export async function bringBackFiles({ blobs, now, fetch }: FileMeans, folder: string): Promise<Files> {
  const faults: string[] = [];
  let [files, bytes] = [0, 0];
  for (const { id, bytes: size, check } of await linesOf(folder)) {
    files++;
    bytes += size;
    if ((await blobs.size(id)) === size) continue;
    if (check === undefined) {
      faults.push(`files: ${id} is not at its place, and the backup lists it only`);
      continue;
    }
    const upload = { id, bytes: size, handle: await blobs.begin(id, size, now()) };
    for (const part of partsOf(size)) {
      const range = { start: part.offset, end: part.offset + part.bytes - 1 };
      const path = copyOf(folder, id);
      if (blobs.way.by === 'streams') await blobs.way.writePart(upload, part, createReadStream(path, range));
      else {
        const url = await blobs.way.partUrl(upload, part, { now: now(), until: now() + URL_LIFE_MS });
        const body = Buffer.concat(await createReadStream(path, range).toArray());
        const { ok, status } = await fetch(url, { method: 'PUT', body });
        if (!ok) throw new BlobError('unavailable', `the S3 server does not take a part of a file (${status})`);
      }
    }
    await blobs.complete(upload);
  }
  return { files, bytes, faults };
}

/** Durable; the CRC-32 of what was written. */
async function copyOut(
  { blobs, now, fetch }: FileMeans,
  { id, bytes }: Pick<FileLine, 'id' | 'bytes'>,
  folder: string,
): Promise<number> {
  const path = copyOf(folder, id);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let pieces: AsyncIterable<Uint8Array>;
  if (blobs.way.by === 'streams') pieces = await blobs.way.read(id, { first: 0, last: bytes - 1 });
  else {
    const answer = await fetch(await blobs.way.readUrl(id, { now: now(), until: now() + URL_LIFE_MS }));
    if (!answer.ok || !answer.body)
      throw new BlobError('unavailable', `the S3 server does not hand out a file (${answer.status})`);
    pieces = answer.body;
  }
  const file = await open(path, 'wx', 0o600);
  try {
    let [check, written] = [0, 0];
    for await (const piece of pieces) {
      check = crc32(piece, check);
      written += piece.length;
      await file.writeFile(piece);
    }
    if (written !== bytes) throw new BlobError('unavailable', 'a file ended before its length: try again');
    await file.datasync();
    return check;
  } finally {
    await file.close();
  }
}

async function linesOf(folder: string): Promise<FileLine[]> {
  const path = join(folder, LIST);
  // A backup of `npm start -- backup` has the folder of the files itself.
  if (!existsSync(path)) return [];
  try {
    const text = await readFile(path, 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => Line.parse(JSON.parse(line)));
  } catch {
    throw new ConfigError('FOLDER', `${path} is damaged`, 'use another backup');
  }
}

function copyOf(folder: string, id: string): string {
  return join(folder, 'files', id.slice(0, 2), id);
}

async function checkOf(path: string): Promise<number> {
  let check = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) check = crc32(piece, check);
  return check;
}

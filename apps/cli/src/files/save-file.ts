/**
 * A file that somebody sent, onto the disk: under a temporary name beside its place until its end was right and is durable, then under
 * its own. What is there is not overwritten unasked, and a failure leaves nothing.
 */
import { createWriteStream, existsSync, linkSync, lstatSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { isFileName } from '@sealwire/wire/file-name';
import { CliError } from '../exit-codes.ts';
import { syncFolder } from '../sync-folder.ts';

/** Pieces are gathered up to this before they are written. */
const WRITE_BYTES = 1_048_576;
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Of a file system without hard links. */
const NO_LINKS = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export interface SaveOptions {
  /** Whatever is there goes. */
  readonly force: boolean;
  readonly random: RandomBytes;
  readonly signal: AbortSignal;
  /** Another disk in tests. */
  readonly fs?: Exclude<Parameters<typeof createWriteStream>[1], string | undefined>['fs'];
}

/**
 * Where a received file goes: `wanted`, else the sender's name in the folder that one stands in. The name is somebody else's: one that
 * is no plain name of a file is refused, and so is one that a shell or its start would read in a way that its reader did not mean.
 * Throws `CliError` (`usage`), also when something is there.
 */
export function placeFor(wanted: string | undefined, name: string, force: boolean): string {
  if (wanted === undefined && (!isFileName(name) || /^[.-]/.test(name)))
    throw new CliError('usage', `its sender calls it "${name}", which is no safe name: give another one with -o PATH`);
  const path = wanted ?? name;
  let status: ReturnType<typeof lookAt>;
  try {
    status = lookAt(path);
  } catch (error) {
    throw ofTheDisk(error, path);
  }
  if (path === '' || path.endsWith(sep) || status?.isDirectory())
    throw new CliError('usage', `"${path}" names a folder: give the path of a file`);
  if (status && !force) throw exists(path);
  if (status && !(status.isFile() || status.isSymbolicLink()))
    throw new CliError('usage', `${path} is no file: give another path, or write to stdout with -o -`);
  if (!existsSync(dirname(path)))
    throw new CliError('usage', `there is no folder ${dirname(path)}: make it, or give another path`);
  return path;
}

/** Throws `CliError` (`failure` where there is no room, `usage` where one may not write), and what `bytes` throws. */
export async function saveFile(path: string, bytes: AsyncIterable<Uint8Array>, options: SaveOptions): Promise<void> {
  const { force, random, signal, fs } = options;
  const folder = dirname(path);
  const draft = join(folder, `.sealwire-${encodeBase64url(random(9))}.part`);
  const file = createWriteStream(draft, {
    flags: 'wx',
    highWaterMark: WRITE_BYTES,
    // Durable before the name is.
    flush: true,
    ...(fs && { fs }),
  });
  try {
    await pipeline(Readable.from(bytes, { objectMode: true }), file, { signal });
    putInPlace(draft, path, force);
    syncFolder(folder);
  } catch (error) {
    // It may still be being opened.
    if (!file.closed) await new Promise<void>((resolve) => file.once('close', resolve));
    rmSync(draft, { force: true });
    throw ofTheDisk(error, path);
  }
}

/** A name that was taken meanwhile is not: whoever took it is not overwritten. */
function putInPlace(draft: string, path: string, force: boolean): void {
  if (!force) {
    try {
      linkSync(draft, path);
      unlinkSync(draft);
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!NO_LINKS.has(code)) throw code === 'EEXIST' ? exists(path) : error;
      if (lookAt(path)) throw exists(path);
    }
  }
  renameSync(draft, path);
}

function lookAt(path: string): ReturnType<typeof statSync> | undefined {
  // A link that leads nowhere is there, too; one that leads to a folder is a folder.
  return statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false });
}

function exists(path: string): CliError {
  return new CliError('usage', `${path} is there already: give another path, or --force to replace it`);
}

function ofTheDisk(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  if (NO_ROOM.has(code))
    return new CliError(
      'failure',
      `there is no room for ${path} (${code}), nothing of it is kept: free some, or give another path`,
    );
  return new CliError('usage', `${path} cannot be written (${code}): check the permissions, or give another path`);
}

/** One file that somebody sent: to a place on the disk, or to stdout. */

import type { ProfileContext } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { fileTitle } from './file-title.ts';
import type { FetchableFile } from './listed-file.ts';
import { Progress } from './progress.ts';
import { placeFor, saveFile } from './save-file.ts';

export interface FetchOptions {
  /** Absent: the sender's name, here. `-`: stdout. */
  readonly output?: string;
  readonly force?: boolean;
}

/** `open` begins the download: what comes is the sender's, and its end comes only when all of it was right. */
export async function fetchFile(
  { surroundings, output }: ProfileContext,
  file: FetchableFile,
  open: (onProgress: (done: number, all: number) => void) => AsyncIterable<Uint8Array>,
  options: FetchOptions,
): Promise<void> {
  const { stderr, runtime, interrupted } = surroundings;
  const toStdout = options.output === '-';
  const path = toStdout ? undefined : placeFor(options.output, file.name, options.force === true);
  const progress = new Progress({ output, stderr, now: runtime.now, kind: 'download', name: file.name });
  try {
    const bytes = open(progress.report);
    if (path === undefined) for await (const piece of bytes) await output.raw(piece);
    else await saveFile(path, bytes, { force: options.force === true, random: runtime.random, signal: interrupted });
  } catch (error) {
    throw interrupted.aborted ? new CliError('interrupted', 'stopped: nothing of the file is kept') : error;
  } finally {
    progress.end();
  }
  if (path === undefined) return;
  const { id, name, type, size } = file;
  await output.data({ event: 'file-received', id, name, type, size, path }, `saved ${fileTitle(file)} as ${path}`);
}

/**
 * Whether the disk of a data folder has space. A write that fails for lack of it is known by its
 * code; but LMDB calls a write that the disk took a part of an input/output error, and then a probe
 * tells. From then on there is space again once a probe could be written: small writes find free
 * pages in the file for a long time.
 */
import { closeSync, fsyncSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError, StoreFullError } from '../port.ts';

const PROBE_FILE = 'space.probe';
/** Room for what one transaction of many jobs writes. */
const PROBE_BYTES = 1 << 20;
/** `ENOSPC`, `EFBIG` and `EDQUOT` of Linux as LMDB gives them, and its own `MDB_MAP_FULL`. */
const FULL = ['ENOSPC', 'EFBIG', 'EDQUOT', 28, 27, 122, -30_792];
const INPUT_OUTPUT = ['EIO', 5];

/** More than a file has that LMDB makes and maps at its start. */
const START_BYTES = 128 << 10;

export interface SpaceReports {
  full(folder: string, freeBytes: number): void;
  hasSpace(): void;
}

export class DiskSpace {
  readonly #folder: string;
  readonly #reports: SpaceReports | undefined;
  #isFull = false;

  constructor(folder: string, reports: SpaceReports | undefined) {
    this.#folder = folder;
    this.#reports = reports;
  }

  /** What a failed write is: `StoreFullError` for lack of space, which is reported once until there is some. */
  readonly failure = async (error: StoreError): Promise<StoreError> => {
    const { cause } = error;
    if (error instanceof StoreFullError || !(isOf(FULL, cause) || (isOf(INPUT_OUTPUT, cause) && (await this.#fails()))))
      return error;
    this.#begin();
    return new StoreFullError(this.#folder, { cause });
  };

  /** Rejects with `StoreFullError` as long as there is no space since a write failed for lack of it. */
  async check(): Promise<void> {
    if (!this.#isFull) return;
    try {
      await this.#writeProbe();
    } catch (cause) {
      throw new StoreFullError(this.#folder, { cause });
    }
    this.#isFull = false;
    this.#reports?.hasSpace();
  }

  #begin(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#reports?.full(this.#folder, this.#freeBytes());
  }

  /** A probe does, for lack of space. */
  async #fails(): Promise<boolean> {
    return this.#writeProbe().then(
      () => false,
      (error: unknown) => isOf(FULL, error),
    );
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  /** In a file that has no name any more when it is written: a process that dies leaves none. */
  async #writeProbe(): Promise<void> {
    const path = join(this.#folder, PROBE_FILE);
    const file = await open(path, 'w', 0o600);
    try {
      await unlink(path);
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

/** Throws what `node:fs` throws when so much cannot be written to the disk of `folder` as a start needs. */
export function requireSpace(folder: string): void {
  const path = join(folder, PROBE_FILE);
  const file = openSync(path, 'w', 0o600);
  try {
    unlinkSync(path);
    for (let left = START_BYTES; left > 0; ) left -= writeSync(file, Buffer.alloc(left));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isOf(codes: readonly (string | number)[], error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: string | number };
  return code !== undefined && codes.includes(code);
}

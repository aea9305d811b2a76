/**
 * Whether the disks of a server get full (docs/adr/0066): what fills them goes first. New files and accounts are refused while there is
 * room for messages, and messages while there is room for what keeps those that were accepted: acknowledgements, checkpoints, the log.
 */
import { statfsSync } from 'node:fs';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A disk is looked at this often at most, however many requests ask. */
const LOOK_EVERY_MS = 1_000;
/** Never more of a small disk than these parts of it. */
const MOST_FOR_UPLOADS = 1 / 10;
const MOST_FOR_MESSAGES = 1 / 50;
/** It is over when there is so much more than the least: no line of the log for each request at the edge. */
const OVER_AT = 1.1;

/** How long a client should wait before it asks again. */
export const RETRY_UPLOADS_SECONDS = 300;
export const RETRY_MESSAGES_MS = 30_000;

export interface DiskReading {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What each disk is for: one that holds files alone keeps no message and no account out. */
type DiskUse = 'store' | 'blobs';

export interface DiskWatchOptions {
  /** Folders of this machine; none: nothing is ever refused. */
  readonly folders: Readonly<Partial<Record<DiskUse, string | undefined>>>;
  /** Bytes; 0: never. */
  readonly uploadsStopBelow: number;
  readonly messagesStopBelow: number;
  readonly now: () => number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'diskFree' | 'diskRefusals'>;
  /** The system's unless given. Throws when the folder cannot be asked about: then nothing is refused for it. */
  readonly read?: (folder: string) => DiskReading;
}

interface Disk {
  readonly use: DiskUse;
  readonly folder: string;
  at: number | undefined;
  isLow: boolean;
  isCritical: boolean;
}

export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #disks: readonly Disk[];

  constructor(options: DiskWatchOptions) {
    this.#options = options;
    this.#disks = Object.entries(options.folders).flatMap(([use, folder]) =>
      folder === undefined ? [] : [{ use: use as DiskUse, folder, at: undefined, isLow: false, isCritical: false }],
    );
  }

  /** Whether a new file is refused: any of the disks gets full. */
  refusesUpload(): boolean {
    return this.#counted(
      'upload',
      this.#look().some(({ isLow }) => isLow),
    );
  }

  /** Whether a new account is refused. */
  refusesAccount(): boolean {
    return this.#counted(
      'account',
      this.#look().some(({ use, isLow }) => use === 'store' && isLow),
    );
  }

  /** Whether a new message is refused. */
  refusesMessage(): boolean {
    return this.#counted(
      'message',
      this.#look().some(({ use, isCritical }) => use === 'store' && isCritical),
    );
  }

  #counted(what: 'upload' | 'account' | 'message', isRefused: boolean): boolean {
    if (isRefused) this.#options.metrics.diskRefusals.inc({ what });
    return isRefused;
  }

  #look(): readonly Disk[] {
    const now = this.#options.now();
    for (const disk of this.#disks) {
      const age = disk.at === undefined ? LOOK_EVERY_MS : now - disk.at;
      // One of the future: the clock was ahead.
      if (age >= 0 && age < LOOK_EVERY_MS) continue;
      disk.at = now;
      this.#judge(disk);
    }
    return this.#disks;
  }

  #judge(disk: Disk): void {
    const { read = readDisk, uploadsStopBelow, messagesStopBelow, metrics, log } = this.#options;
    let reading: DiskReading;
    try {
      reading = read(disk.folder);
    } catch {
      [disk.isLow, disk.isCritical] = [false, false];
      return;
    }
    const { freeBytes, totalBytes } = reading;
    metrics.diskFree.set({ disk: disk.use }, freeBytes);
    const isBelow = (least: number, was: boolean) => freeBytes < least * (was ? OVER_AT : 1);
    const { isLow, isCritical } = disk;
    disk.isLow = isBelow(Math.min(uploadsStopBelow, totalBytes * MOST_FOR_UPLOADS), isLow);
    disk.isCritical = isBelow(Math.min(messagesStopBelow, totalBytes * MOST_FOR_MESSAGES), isCritical);
    if (disk.isLow === isLow && disk.isCritical === isCritical) return;
    const fields = { path: disk.folder, bytes: freeBytes, reason: reasonOf(disk) };
    if (disk.isCritical && disk.use === 'store') log.error('disk-nearly-full', fields);
    else if (disk.isLow) log.warn('disk-nearly-full', fields);
    else log.warn('disk-has-space', fields);
  }
}

function reasonOf({ use, isLow, isCritical }: Disk): string {
  if (use === 'blobs') return isLow ? 'new files are refused until some is free' : 'new files are taken again';
  if (isCritical) return 'new messages, accounts and files are refused until some is free; all that was accepted stays';
  return isLow ? 'new accounts and files are refused until some is free' : 'all is taken again';
}

function readDisk(folder: string): DiskReading {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** The folder of a URL that names one, such as `lmdb:./data`; undefined: it names none. */
export function folderOfUrl(url: string): string | undefined {
  return /^(?:lmdb|file):(.+)$/.exec(url)?.[1];
}

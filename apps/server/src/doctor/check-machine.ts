/** This machine: room on its disks, open files, how old the newest backup is. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DiskReading } from '@sealwire/service/disk-watch';
import { readNote } from '@sealwire/store/backing-up';
import { type Finding, wordsOf } from './finding.ts';
import type { Means } from './means.ts';

/** With so little of a disk free it is time to do something, whatever is refused by then. */
const LEAST_PART = 1 / 10;
/** A server needs one for each socket, and some beside them. */
const LEAST_FILES = 10_000;
const MOST_USED = 0.8;
const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;

/** `stopsBelow`: with less than this, uploads are refused; 0: never. */
export function diskFinding(of: string, { freeBytes, totalBytes }: DiskReading, stopsBelow: number): Finding {
  const detail = `${of}: ${(freeBytes / GIB).toFixed(1)} of ${(totalBytes / GIB).toFixed(1)} GiB free`;
  const fix = 'make room, or a larger disk: files and accounts are refused first, messages last';
  const isShort = freeBytes < totalBytes * LEAST_PART || freeBytes < Math.min(stopsBelow, totalBytes * LEAST_PART);
  return isShort ? { name: 'disk', detail, fix } : { name: 'disk', detail };
}

/** Each folder by name; one that is not there yet counts as the one above it. */
export function checkDisks(folders: Readonly<Record<string, string>>, stopsBelow: number, { disk }: Means): Finding[] {
  return Object.entries(folders).map(([of, folder]) => {
    let there = resolve(folder);
    while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
    try {
      return diskFinding(`${of} (${folder})`, disk(there), stopsBelow);
    } catch (error) {
      return { name: 'disk', detail: `${of} (${folder}): ${wordsOf(error)}`, fix: 'see whether it is mounted' };
    }
  });
}

/** Of the process that has the embedded store in `folder`, else of one that is started like this. */
export function checkOpenFiles(folder: string | undefined, { openFiles }: Means): Finding | undefined {
  const [, owner] = folderOwner(folder);
  const read = (owner === undefined ? undefined : openFiles(owner)) ?? openFiles('self');
  if (!read) return undefined;
  const { most, open } = read;
  const whose = owner === undefined ? 'a process that is started as this one' : `process ${owner}`;
  const detail = `open files: ${whose} has ${open}, and may have ${most}`;
  if (most >= LEAST_FILES && open < most * MOST_USED) return { name: 'files open', detail };
  return { name: 'files open', detail, fix: 'LimitNOFILE=65536 in the unit, or ulimit -n 65536: each client is one' };
}

function folderOwner(folder: string | undefined): [string | undefined, number | undefined] {
  if (folder === undefined || !existsSync(folder)) return [undefined, undefined];
  const owners = readdirSync(folder).map((name) => /^owner\.(\d+)\..*\.sock$/.exec(name)?.[1]);
  const [pid] = owners.filter((each) => each !== undefined);
  return [pid, pid === undefined ? undefined : Number(pid)];
}

/** `folder`: in which each backup is a folder of its own. */
export function checkBackups(folder: string | undefined, mostHours: number, now: number): Finding {
  const name = 'backup';
  if (folder === undefined)
    return {
      name,
      detail: 'nobody says where the backups are',
      fix: 'set BACKUPS_DIR to the folder in which they lie',
    };
  let newest: number | undefined;
  try {
    for (const entry of readdirSync(folder)) {
      if (entry.includes('.partial-')) continue;
      const at = begunAt(join(folder, entry));
      if (at !== undefined && (newest === undefined || at > newest)) newest = at;
    }
  } catch (error) {
    return {
      name,
      detail: `${folder} cannot be read (${wordsOf(error)})`,
      fix: 'correct BACKUPS_DIR, or give this user the right',
    };
  }
  const fix = 'see the timer that runs sealwire-server backup (docs/operations/backup.md)';
  if (newest === undefined) return { name, detail: `there is none in ${folder}`, fix };
  const hours = Math.max(0, (now - newest) / HOUR_MS);
  const detail = `the newest is ${hours.toFixed(1)} hours old, in ${folder}`;
  return hours <= mostHours ? { name, detail } : { name, detail, fix };
}

/** Undefined: it is no backup that could be restored. */
function begunAt(folder: string): number | undefined {
  try {
    return readNote(folder)?.begunAt;
  } catch {
    return undefined;
  }
}

/**
 * `npm start -- backup FOLDER`, whether the server runs or not, and `npm start -- restore FOLDER`, into a data folder that is empty
 * (docs/operations/storage.md, backup). A backup is a data folder: store, secrets, and whatever else lies there.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { wholeFilesIn } from '@sealwire/blobs/files';
import type { RandomBytes } from '@sealwire/crypto/port';
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError } from '@sealwire/service/config';
import { markRestored, readNote, writeNote } from '@sealwire/store/backing-up';
import { backupLmdbStore } from '@sealwire/store/backup';
import { verifyLmdbStore } from '@sealwire/store/repair';
import { copyFolder, copyLivingFolder, makeDurable } from './copy-folder.ts';
import { blobsIn, folderError, SECRETS, storeIn } from './data-folder.ts';
import { folderCommand } from './folder-command.ts';
import { tellVerdict } from './look-after.ts';

const STORE = 'store';
const BLOBS = 'blobs';
/** What a file system makes for itself in its root. */
const OF_FILE_SYSTEM = 'lost+found';
/** Of the store's folder, what means nothing elsewhere. */
const LOCK = 'lock.mdb';
/** When the backup was made: of the backup, not of the data folder. */
const NOTE = 'backup.json';

/** Resolves with the exit code: 0; 1 when the store is damaged, and its copy with it; 2 for a mistake. */
export function backup(argv: readonly string[], random: RandomBytes, now: () => number): Promise<number> {
  const begunAt = now();
  return folderCommand('backup', argv, ['FOLDER'], async (task) => {
    const [from, to] = [resolve(task.dataFolder), resolve(task.words[0]!)];
    if (existsSync(to)) throw new ConfigError(to, 'is there already', 'name a folder that is not');
    if (isWithin(to, from)) throw new ConfigError(to, `lies in the data folder ${from}`, 'name a folder elsewhere');
    if (!existsSync(storeIn(from)))
      throw new ConfigError('DATA_DIR', `there is no store in ${from}`, 'name it with --data-dir');
    const draft = `${to}.partial-${suffix(random)}`;
    try {
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      mkdirSync(draft, { mode: 0o700 });
      const files = copyFolder(from, draft, [STORE, OF_FILE_SYSTEM, BLOBS, NOTE]);
      copyAttachments(from, draft);
      mkdirSync(join(draft, STORE), { mode: 0o700 });
      const verdict = await openOrExplain('DATA_DIR', () => backupLmdbStore(storeIn(from), join(draft, STORE)));
      writeNote(draft, { kind: 'lmdb', begunAt, endedAt: now(), counts: verdict.counts, files: {} });
      makeDurable(draft);
      renameSync(draft, to);
      makeDurable(dirname(to));
      task.say(`${to} has the store${files.map((file) => `, ${file}`).join('')}: keep it as secret as the data folder`);
      return tellVerdict(verdict, task);
    } catch (error) {
      const { code, path = to } = error as NodeJS.ErrnoException;
      if (error instanceof ConfigError || typeof code !== 'string') throw error;
      if (code === 'ENOSPC') throw new ConfigError(to, 'there is no space left', 'free some, or name another folder');
      throw new ConfigError(
        path,
        `cannot be read or written (${code})`,
        'give this user the right, or name another folder',
      );
    } finally {
      if (existsSync(draft)) rmSync(draft, { recursive: true });
    }
  });
}

/** Resolves with the exit code: 0; 1 when the backup is damaged, and nothing restored; 2 for a mistake. */
export function restore(argv: readonly string[], random: RandomBytes, now: () => number): Promise<number> {
  return folderCommand('restore', argv, ['FOLDER'], async (task) => {
    const [from, to] = [resolve(task.words[0]!), resolve(task.dataFolder)];
    if (!existsSync(join(storeIn(from), 'data.mdb')))
      throw new ConfigError(from, 'is no backup: it has no store/data.mdb', 'name a folder that backup wrote');
    const draft = join(to, `.restored-${suffix(random)}`);
    try {
      mkdirSync(to, { recursive: true, mode: 0o700 });
      if (readdirSync(to).some((name) => name !== OF_FILE_SYSTEM))
        throw new ConfigError(
          'DATA_DIR',
          `${to} is not empty`,
          'name another folder with --data-dir, or move that one away',
        );
      const note = await openOrExplain('FOLDER', async () => readNote(from));
      copyFolder(from, draft, [STORE, OF_FILE_SYSTEM, NOTE]);
      copyFolder(storeIn(from), storeIn(draft), [LOCK]);
      const verdict = await openOrExplain('DATA_DIR', () => verifyLmdbStore(storeIn(draft)));
      if (tellVerdict(verdict, task) !== 0) {
        task.say(
          `nothing is restored. If there is no better backup: copy this one to ${to}, and run npm start -- repair`,
        );
        return 1;
      }
      const { oneTimeKeys } = await openOrExplain('DATA_DIR', () => markRestored(storeIn(draft), now()));
      // The store last: without it the server does not start on what is there.
      const names = readdirSync(draft).sort((a, b) => Number(a === STORE) - Number(b === STORE));
      for (const name of names) renameSync(join(draft, name), join(to, name));
      rmdirSync(draft);
      makeDurable(to);
      task.say(`${to} is restored`);
      task.say(lossLine(note?.begunAt, now(), oneTimeKeys));
      for (const name of SECRETS)
        if (!existsSync(join(to, 'secrets', name))) task.say(`it has no secrets/${name}: the next start makes another`);
      return 0;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw error instanceof ConfigError || typeof code !== 'string' ? error : folderError(to, code);
    } finally {
      if (existsSync(draft)) rmSync(draft, { recursive: true });
    }
  });
}

/** Before the store: a record without its file ends by itself, a file without a record stays. Uploads that are under way are not kept. */
function copyAttachments(from: string, to: string): void {
  const whole = wholeFilesIn(blobsIn(from));
  if (!existsSync(whole)) return;
  mkdirSync(blobsIn(to), { mode: 0o700 });
  copyLivingFolder(whole, wholeFilesIn(blobsIn(to)));
}

/** What whoever restores has to tell people. `begunAt`: of a backup that has no note: not known. */
function lossLine(begunAt: number | undefined, now: number, oneTimeKeys: number): string {
  const since = begunAt === undefined ? 'the backup' : new Date(begunAt).toISOString();
  const span = begunAt === undefined ? '' : ` (${Math.max(0, Math.round((now - begunAt) / 60_000))} minutes)`;
  return `what was accepted since ${since}${span} is gone, and devices are told; ${oneTimeKeys} one-time keys are not handed out again, devices bring new ones`;
}

function suffix(random: RandomBytes): string {
  return Buffer.from(random(6)).toString('hex');
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way.startsWith('..') || resolve(way) === way);
}

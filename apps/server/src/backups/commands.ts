/** `backup`, `verify` and `restore` of a deployment's store and files (docs/operations/backup.md): what they do, in one call each. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { blobsTerms } from '@sealwire/api/settings';
import { openBlobs } from '@sealwire/blobs/open';
import type { Blobs } from '@sealwire/blobs/port';
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError } from '@sealwire/service/config';
import {
  attachmentsOf,
  type BackupNote,
  backUpStore,
  noteBackup,
  restoreStore,
  verifyBackup,
} from '@sealwire/store/backing-up';
import { bringBackFiles, type Files, keepFiles, verifyFiles } from './files.ts';
import type { BackupSettings } from './settings.ts';

export interface BackupTask {
  readonly settings: BackupSettings;
  /** Of the backup. */
  readonly folder: string;
  readonly now: () => number;
  readonly suffix: string;
  /** A line for a person. */
  say(text: string): void;
}

/** What `--json` shows. */
export interface BackupReport {
  readonly begunAt: number;
  readonly counts: BackupNote['counts'];
  readonly files: number;
  readonly fileBytes: number;
  readonly faults: readonly string[];
  /** Of a restore. */
  readonly oneTimeKeys?: number;
}

/** Rejects with `ConfigError`, or with what `node:fs` says of the folder; nothing is left of it then. */
export async function backUp(task: BackupTask): Promise<BackupReport> {
  const { settings, now, say } = task;
  const to = resolve(task.folder);
  if (existsSync(to)) throw new ConfigError('FOLDER', `${to} is there already`, 'name a folder that is not');
  const draft = `${to}.partial-${task.suffix}`;
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    mkdirSync(draft, { mode: 0o700 });
    const verdict = await openOrExplain('STORE_URL', () =>
      backUpStore({ url: settings.STORE_URL, folder: draft, now }),
    );
    let kept: Files = { files: 0, bytes: 0, faults: [] };
    // What is damaged is kept as it is; who knows of files is not known then.
    if (verdict.faults.length === 0)
      kept = await withBlobs(settings, (blobs) =>
        keepFiles({ blobs, now, fetch }, draft, attachmentsOf(draft, verdict.note, now()), isCopied(settings)),
      );
    noteBackup(draft, verdict);
    renameSync(draft, to);
    say(`${to} has ${countsLine(verdict.note.counts)}; ${filesLine(kept, isCopied(settings) ? 'copied' : 'listed')}`);
    say(
      'it lets whoever has it read who talks to whom: keep it as secret as the store. Secrets of settings are not in it',
    );
    return reportOf(verdict, kept);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

export async function verify({ folder, say }: Pick<BackupTask, 'folder' | 'say'>): Promise<BackupReport> {
  const from = resolve(folder);
  const verdict = await openOrExplain('FOLDER', () => verifyBackup(from));
  const files = await verifyFiles(from);
  say(
    `${from} of ${new Date(verdict.note.begunAt).toISOString()}: ${countsLine(verdict.note.counts)}; ${filesLine(files, 'there')}`,
  );
  return reportOf(verdict, files);
}

/** Of a backup with faults nothing is restored. */
export async function restore(task: BackupTask): Promise<BackupReport> {
  const { settings, now, say } = task;
  const from = resolve(task.folder);
  const checked = await verify(task);
  if (checked.faults.length > 0) {
    say('nothing is restored: use another backup');
    return checked;
  }
  const { mailboxes, oneTimeKeys } = await openOrExplain('STORE_URL', () =>
    restoreStore({ url: settings.STORE_URL, folder: from, now }),
  );
  const files =
    checked.files === 0
      ? { files: 0, bytes: 0, faults: [] }
      : await withBlobs(settings, (blobs) => bringBackFiles({ blobs, now, fetch }, from));
  const minutes = Math.max(0, Math.round((now() - checked.begunAt) / 60_000));
  say(
    `what was accepted since ${new Date(checked.begunAt).toISOString()} (${minutes} minutes) is gone: messages, accounts, devices, keys, files`,
  );
  say(
    `${mailboxes} mailboxes tell their devices so, which look at their keys; ${oneTimeKeys} one-time keys are not handed out again`,
  );
  return { ...checked, faults: files.faults, oneTimeKeys };
}

function isCopied({ FILES, BLOBS_URL }: BackupSettings): boolean {
  return (FILES ?? (BLOBS_URL.startsWith('file:') ? 'copy' : 'list')) === 'copy';
}

async function withBlobs<Answer>(settings: BackupSettings, use: (blobs: Blobs) => Promise<Answer>): Promise<Answer> {
  const blobs = await openOrExplain('BLOBS_URL', () => openBlobs(settings.BLOBS_URL, blobsTerms(settings)));
  try {
    return await openOrExplain('BLOBS_URL', () => use(blobs));
  } finally {
    await blobs.close();
  }
}

function reportOf(
  { note, faults }: { readonly note: BackupNote; readonly faults: readonly string[] },
  files: Files,
): BackupReport {
  const all = [...faults, ...files.faults];
  return { begunAt: note.begunAt, counts: note.counts, files: files.files, fileBytes: files.bytes, faults: all };
}

function countsLine(counts: BackupNote['counts']): string {
  return (
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'nothing'
  );
}

function filesLine({ files, bytes }: Files, what: string): string {
  return `${files} files (${bytes} bytes) ${what}`;
}

/** The frame of `backup`, `verify` and `restore`: words and settings, chatter on stderr, faults on stdout, a mistake in one line. */
import { systemRandom } from '@sealwire/crypto/random';
import { ConfigError, type ConfigSources, loadConfig } from '@sealwire/service/config';
import type { Output } from '../output.ts';
import { type BackupReport, type BackupTask, backUp, restore, verify } from './commands.ts';
import { backupSettings } from './settings.ts';

const COMMANDS: Readonly<Record<'backup' | 'verify' | 'restore', (task: BackupTask) => Promise<BackupReport>>> = {
  backup: backUp,
  verify,
  restore,
};
const FIXES: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space, or name another folder',
  EACCES: 'give this user the right, or name another folder',
};

/** Resolves with the exit code: 0; 1 when there are faults; 2 for a mistake. */
export async function runBackupCommand(
  name: keyof typeof COMMANDS,
  { argv, ...sources }: ConfigSources,
  now: () => number,
  { out, err }: Output,
): Promise<number> {
  const say = (text: string) => err(`${name}: ${text}\n`);
  try {
    const words = argv.filter((word) => word !== '--json');
    const loaded = loadConfig(backupSettings, { ...sources, argv: words }, { demanded: ['FOLDER'] });
    if (loaded.action === 'show') {
      out(loaded.text);
      return 0;
    }
    const [folder = ''] = loaded.words;
    const suffix = Buffer.from(systemRandom(6)).toString('hex');
    const report = await COMMANDS[name]({ settings: loaded.settings, folder, now, suffix, say });
    out(argv.includes('--json') ? `${JSON.stringify(report)}\n` : report.faults.map((fault) => `${fault}\n`).join(''));
    return report.faults.length > 0 ? 1 : 0;
  } catch (error) {
    const known = error instanceof ConfigError ? error : ofFolder(error as NodeJS.ErrnoException);
    if (!known) throw error;
    say(known.message);
    return known.exitCode;
  }
}

function ofFolder({ code, syscall, path = 'FOLDER' }: NodeJS.ErrnoException): ConfigError | undefined {
  if (code === undefined || syscall === undefined) return undefined;
  return new ConfigError(path, `cannot be read or written (${code})`, FIXES[code] ?? 'name another folder');
}

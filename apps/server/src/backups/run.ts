/** The frame of `backup`, `verify` and `restore`: words and settings, chatter on stderr, faults on stdout, a mistake in one line. */
import { systemRandom } from '@sealwire/crypto/random';
import { ConfigError, loadConfig, processSources } from '@sealwire/service/config';
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

/** Sets the exit code: 0; 1 when there are faults; 2 for a mistake. */
export async function runBackupCommand(name: keyof typeof COMMANDS): Promise<void> {
  const say = (text: string) => process.stderr.write(`${name}: ${text}\n`);
  const { argv, ...sources } = processSources();
  const isJson = argv.includes('--json');
  try {
    const words = argv.filter((word) => word !== '--json');
    const loaded = loadConfig(backupSettings, { ...sources, argv: words }, { demanded: ['FOLDER'] });
    if (loaded.action === 'show') {
      process.stdout.write(loaded.text);
      return;
    }
    const [folder = ''] = loaded.words;
    const suffix = Buffer.from(systemRandom(6)).toString('hex');
    const report = await COMMANDS[name]({ settings: loaded.settings, folder, now: Date.now, suffix, say });
    process.stdout.write(isJson ? `${JSON.stringify(report)}\n` : report.faults.map((fault) => `${fault}\n`).join(''));
    process.exitCode = report.faults.length > 0 ? 1 : 0;
  } catch (error) {
    const known = error instanceof ConfigError ? error : ofFolder(error as NodeJS.ErrnoException);
    if (!known) throw error;
    say(known.message);
    process.exitCode = known.exitCode;
  }
}

function ofFolder({ code, syscall, path = 'FOLDER' }: NodeJS.ErrnoException): ConfigError | undefined {
  if (code === undefined || syscall === undefined) return undefined;
  return new ConfigError(path, `cannot be read or written (${code})`, FIXES[code] ?? 'name another folder');
}

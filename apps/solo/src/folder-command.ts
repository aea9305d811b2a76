/** The frame of the commands on a data folder: settings, chatter on stderr, a mistake in one line. */
import { ConfigError, loadConfig, processSources } from '@sealwire/service/config';
import { soloSettings } from './settings.ts';

export interface FolderTask {
  /** `DATA_DIR` */
  readonly dataFolder: string;
  /** What stands beside the flags, by its place in the names that were demanded. */
  readonly words: readonly string[];
  /** A line for a person. */
  say(text: string): void;
  /** A line of data. */
  print(text: string): void;
}

/** Resolves with the exit code: that of `run`, or 2 for a mistake. */
export async function folderCommand(
  name: string,
  argv: readonly string[],
  demanded: readonly string[],
  run: (task: FolderTask) => Promise<number>,
): Promise<number> {
  const say = (text: string) => process.stderr.write(`${name}: ${text}\n`);
  try {
    const schema = soloSettings.pick({ DATA_DIR: true });
    const loaded = loadConfig(schema, { ...processSources(), argv }, { demanded });
    if (loaded.action === 'show') {
      process.stdout.write(loaded.text);
      return 0;
    }
    const { settings, words } = loaded;
    return await run({
      dataFolder: settings.DATA_DIR,
      words,
      say,
      print: (text) => process.stdout.write(`${text}\n`),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    say(error.message);
    return error.exitCode;
  }
}

/** The frame of the commands that look after a store: words, then settings; a mistake is one line and exit code 2. */
import { openOrExplain } from '@sealwire/service/boot';
import { aboutOf, ConfigError, loadConfig, processSources, setting } from '@sealwire/service/config';
import { SERVER_SETTINGS } from '@sealwire/service/settings';
import { z } from 'zod';

/** `DOMAIN`: to be compared with what a store has; it may be unset. */
const SETTINGS = z.object({
  STORE_URL: SERVER_SETTINGS.STORE_URL,
  DOMAIN: setting(SERVER_SETTINGS.DOMAIN.optional(), aboutOf(SERVER_SETTINGS.DOMAIN)),
});

/** Sets the exit code to what `run` answers; `run` is given the words before the first flag, and the settings. */
export async function storeCommand(
  name: string,
  run: (words: readonly string[], settings: z.output<typeof SETTINGS>) => Promise<number>,
): Promise<void> {
  const { argv, ...sources } = processSources();
  const flags = argv.findIndex((word) => word.startsWith('-'));
  const [words, rest] = flags < 0 ? [argv, []] : [argv.slice(0, flags), argv.slice(flags)];
  try {
    const loaded = loadConfig(SETTINGS, { ...sources, argv: rest });
    if (loaded.action === 'show') process.stdout.write(loaded.text);
    else process.exitCode = await openOrExplain('STORE_URL', () => run(words, loaded.settings));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

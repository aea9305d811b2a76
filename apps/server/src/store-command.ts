/** The frame of the commands that look after a store: words, then settings; a mistake is one line and exit code 2. */
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError, loadConfig, processSources } from '@sealwire/service/config';
import { SERVER_SETTINGS } from '@sealwire/service/settings';
import { z } from 'zod';

/** Sets the exit code to what `run` answers; `run` is given the words before the first flag, and `STORE_URL`. */
export async function storeCommand(
  name: string,
  run: (words: readonly string[], storeUrl: string) => Promise<number>,
): Promise<void> {
  const { argv, ...sources } = processSources();
  const flags = argv.findIndex((word) => word.startsWith('-'));
  const [words, rest] = flags < 0 ? [argv, []] : [argv.slice(0, flags), argv.slice(flags)];
  try {
    const loaded = loadConfig(z.object({ STORE_URL: SERVER_SETTINGS.STORE_URL }), { ...sources, argv: rest });
    if (loaded.action === 'show') process.stdout.write(loaded.text);
    else process.exitCode = await openOrExplain('STORE_URL', () => run(words, loaded.settings.STORE_URL));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

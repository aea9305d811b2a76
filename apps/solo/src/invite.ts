/** `npm start -- invite`: makes an invitation code in the data folder, whether the server runs or not. */
import { createInvitation } from '@sealwire/api/start';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { ConfigError, loadConfig, processSources, setting } from '@sealwire/service/config';
import { wholeNumber } from '@sealwire/service/settings';
import { openDataFolder, openEmbeddedStore } from './data-folder.ts';
import { soloSettings } from './settings.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

const inviteSettings = soloSettings.extend({
  INVITE_USES: setting(wholeNumber(1, 10_000), { about: 'How many accounts the code is good for.', default: '1' }),
  INVITE_DAYS: setting(wholeNumber(1, 3_650), { about: 'For how many days.', default: '7' }),
});

/** Prints the code, alone on a line, on stdout; resolves with the exit code. */
export async function invite(argv: readonly string[], now: number): Promise<number> {
  try {
    const loaded = loadConfig(inviteSettings, { ...processSources(), argv });
    if (loaded.action === 'show') {
      process.stdout.write(loaded.text);
      return 0;
    }
    const { DATA_DIR, INVITE_USES, INVITE_DAYS } = loaded.settings;
    const store = await openEmbeddedStore(openDataFolder(DATA_DIR, systemRandom));
    try {
      const { code, expiresAt } = await createInvitation({
        store,
        crypto: nodeCrypto(),
        random: systemRandom,
        now,
        uses: INVITE_USES,
        lifeMs: INVITE_DAYS * DAY_MS,
      });
      process.stdout.write(`${code}\n`);
      process.stderr.write(`good for ${INVITE_USES} account(s) until ${new Date(expiresAt).toISOString()}\n`);
    } finally {
      await store.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`invite: ${error.message}\n`);
    return error.exitCode;
  }
}

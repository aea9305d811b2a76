/** `npm start -- reset-account NAME`: makes a reset code in the data folder, whether the server runs or not. */
import { RESET_SETTINGS, resetAccountCommand } from '@sealwire/api/reset-account';
import { systemRandom } from '@sealwire/crypto/random';
import { adminSocketIn } from '@sealwire/service/admin-socket';
import { processSources } from '@sealwire/service/config';
import { openDataFolder } from './data-folder.ts';
import { soloSettings } from './settings.ts';

/** Prints the code, alone on a line, on stdout; resolves with the exit code. */
export function resetAccount(argv: readonly string[], now: () => number): Promise<number> {
  return resetAccountCommand(
    {
      schema: soloSettings.extend(RESET_SETTINGS),
      adminSocket: ({ DATA_DIR }) => adminSocketIn(DATA_DIR),
      openStore: async ({ DATA_DIR }) => (await openDataFolder(DATA_DIR, systemRandom)).store,
    },
    { ...processSources(), argv },
    now,
    { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
  );
}

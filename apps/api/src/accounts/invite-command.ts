/** `main.ts invite`: makes an invitation code in the store, whether the server runs or not. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError, type ConfigSources, loadConfig, setting } from '@sealwire/service/config';
import { SERVER_SETTINGS, wholeNumber } from '@sealwire/service/settings';
import { openStore } from '@sealwire/store/open';
import { z } from 'zod';
import { createInvitation } from './invitations.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const inviteSettings = z.object({
  STORE_URL: SERVER_SETTINGS.STORE_URL,
  INVITE_USES: setting(wholeNumber(1, 10_000), { about: 'How many accounts the code is good for.', default: '1' }),
  INVITE_DAYS: setting(wholeNumber(1, 3_650), { about: 'For how many days.', default: '7' }),
});

export interface Output {
  /** Data: the code, alone on a line. */
  out(text: string): void;
  /** Chatter. */
  err(text: string): void;
}

/** Resolves with the exit code. */
export async function inviteCommand(sources: ConfigSources, now: number, { out, err }: Output): Promise<number> {
  try {
    const loaded = loadConfig(inviteSettings, sources);
    if (loaded.action === 'show') {
      out(loaded.text);
      return 0;
    }
    const { STORE_URL, INVITE_USES: uses, INVITE_DAYS: days } = loaded.settings;
    const store = await openOrExplain('STORE_URL', () => openStore(STORE_URL));
    try {
      const lifeMs = days * DAY_MS;
      const { code, expiresAt } = await createInvitation({
        store,
        crypto: nodeCrypto(),
        random: systemRandom,
        now,
        uses,
        lifeMs,
      });
      out(`${code}\n`);
      err(`good for ${uses} account(s) until ${new Date(expiresAt).toISOString()}\n`);
    } finally {
      await store.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    err(`invite: ${error.message}\n`);
    return error.exitCode;
  }
}

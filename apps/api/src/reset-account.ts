/** The command `reset-account NAME`: makes a reset code, by which somebody who has lost everything gets back to the own name. */
import { type ConfigSources, setting } from '@sealwire/service/config';
import { wholeNumber } from '@sealwire/service/settings';
import type { Store } from '@sealwire/store/port';
import type { z } from 'zod';
import { offlineAdminCommands } from './admin/offline.ts';
import { type AdministeredServer, adminCommand, type Output } from './admin-command.ts';
import { RESET_DAYS, RESETS_PATH, type ResetCode } from './resets/reset-codes.ts';

/** To be among the settings of whoever has this command, beside `DOMAIN`. */
export const RESET_SETTINGS = {
  RESET_DAYS: setting(wholeNumber(1, RESET_DAYS), { about: 'For how many days the code is good.', default: '3' }),
};

type ResetSettings = z.ZodObject<typeof RESET_SETTINGS & { DOMAIN: z.ZodType<string> }>;

/** Resolves with the exit code. */
export function resetAccountCommand<S extends ResetSettings>(
  server: AdministeredServer<S>,
  sources: ConfigSources,
  now: () => number,
  output: Output,
): Promise<number> {
  const order = (settings: z.output<S>, [name = '']: readonly string[]) => {
    const { RESET_DAYS: days, DOMAIN: domain }: z.output<ResetSettings> = settings;
    return {
      path: RESETS_PATH,
      body: { name, days },
      commands: (store: Store) => offlineAdminCommands(store, { now, domain }),
      tell({ address, code, number, expiresAt }: ResetCode) {
        output.out(`${code}\n`);
        output.err(
          `reset ${number} of ${address}: good once, until ${new Date(expiresAt).toISOString()}. Nothing changes before it is used; then its devices are cut off, and its contacts are warned\n`,
        );
      },
    };
  };
  return adminCommand({ name: 'reset-account', demanded: ['NAME'], order }, server, sources, output);
}

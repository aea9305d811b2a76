/** The command `invite`: makes an invitation code. */
import { type ConfigSources, setting } from '@sealwire/service/config';
import { wholeNumber } from '@sealwire/service/settings';
import type { Store } from '@sealwire/store/port';
import type { z } from 'zod';
import { INVITATIONS_PATH, INVITE_DAYS, INVITE_USES, type Invitation } from './accounts/invitations.ts';
import { offlineAdminCommands } from './admin/offline.ts';
import { type AdministeredServer, adminCommand, type Output } from './admin-command.ts';

/** To be among the settings of whoever has this command. */
export const INVITE_SETTINGS = {
  INVITE_USES: setting(wholeNumber(1, INVITE_USES), { about: 'How many accounts the code is good for.', default: '1' }),
  INVITE_DAYS: setting(wholeNumber(1, INVITE_DAYS), { about: 'For how many days.', default: '7' }),
};

/** Resolves with the exit code. */
export function inviteCommand<S extends z.ZodObject<typeof INVITE_SETTINGS>>(
  server: AdministeredServer<S>,
  sources: ConfigSources,
  now: () => number,
  output: Output,
): Promise<number> {
  const order = (settings: z.output<S>) => {
    const given: z.output<z.ZodObject<typeof INVITE_SETTINGS>> = settings;
    const body = { uses: given.INVITE_USES, days: given.INVITE_DAYS };
    return {
      path: INVITATIONS_PATH,
      body,
      commands: (store: Store) => offlineAdminCommands(store, { now, domain: '' }),
      tell({ code, expiresAt }: Invitation) {
        output.out(`${code}\n`);
        output.err(`good for ${body.uses} account(s) until ${new Date(expiresAt).toISOString()}\n`);
      },
    };
  };
  return adminCommand({ name: 'invite', order }, server, sources, output);
}

/**
 * The command `invite`: makes an invitation code. It asks the server that runs; when none does, it
 * opens the store itself.
 */
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { callAdminSocket } from '@sealwire/service/admin-socket';
import { ConfigError, type ConfigSources, loadConfig, setting } from '@sealwire/service/config';
import { wholeNumber } from '@sealwire/service/settings';
import type { Store } from '@sealwire/store/port';
import type { z } from 'zod';
import {
  INVITATIONS_PATH,
  INVITE_DAYS,
  INVITE_USES,
  type Invitation,
  invitationCommands,
} from './accounts/invitations.ts';

/** To be among the settings of whoever has this command. */
export const INVITE_SETTINGS = {
  INVITE_USES: setting(wholeNumber(1, INVITE_USES), { about: 'How many accounts the code is good for.', default: '1' }),
  INVITE_DAYS: setting(wholeNumber(1, INVITE_DAYS), { about: 'For how many days.', default: '7' }),
};

export interface InvitedServer<S extends z.ZodObject<typeof INVITE_SETTINGS>> {
  readonly schema: S;
  /** Where it listens for its administrator; undefined: nowhere. */
  adminSocket(settings: z.output<S>): string | undefined;
  openStore(settings: z.output<S>): Promise<Store>;
}

export interface Output {
  /** Data: the code, alone on a line. */
  out(text: string): void;
  /** Chatter. */
  err(text: string): void;
}

/** Resolves with the exit code. */
export async function inviteCommand<S extends z.ZodObject<typeof INVITE_SETTINGS>>(
  server: InvitedServer<S>,
  sources: ConfigSources,
  now: () => number,
  { out, err }: Output,
): Promise<number> {
  try {
    const loaded = loadConfig(server.schema, sources);
    if (loaded.action === 'show') {
      out(loaded.text);
      return 0;
    }
    const given: z.output<z.ZodObject<typeof INVITE_SETTINGS>> = loaded.settings;
    const body = { uses: given.INVITE_USES, days: given.INVITE_DAYS };
    const path = server.adminSocket(loaded.settings);
    const answer = path && ((await callAdminSocket(path, INVITATIONS_PATH, body)) as Invitation | undefined);
    const { code, expiresAt } = answer || (await inviteIn(await server.openStore(loaded.settings), body, now));
    out(`${code}\n`);
    err(`good for ${body.uses} account(s) until ${new Date(expiresAt).toISOString()}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    err(`invite: ${error.message}\n`);
    return error.exitCode;
  }
}

async function inviteIn(store: Store, body: object, now: () => number): Promise<Invitation> {
  try {
    const commands = invitationCommands({ store, crypto: nodeCrypto(), random: systemRandom, now });
    return await commands[INVITATIONS_PATH](body);
  } finally {
    await store.close();
  }
}

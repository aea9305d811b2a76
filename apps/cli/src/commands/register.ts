/** `sealwire register`: makes keys, seals them under a passphrase, and makes the account with this device as its first. */
import { Client } from '@sealwire/client/client';
import type { Command } from 'commander';
import { type Context, profileFor } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { CliError } from '../exit-codes.ts';
import { readSecretFile } from '../input.ts';
import { accountCommand } from '../options.ts';

interface RegisterOptions extends EnterOptions {
  readonly invitation?: string;
  readonly invitationFile?: string;
}

export function registerCommand(context: () => Context): Command {
  const command = accountCommand('register', 'Make an account, with this machine as its first device', [
    'sealwire register -u alice',
    'sealwire register -u alice -s https://chat.example.org --invitation-file invitation.txt',
    'sealwire register -u robot --passphrase-file /run/secrets/robot',
  ]);
  return entranceOptions(command)
    .option('--invitation <code>', 'for servers that ask for one; other users of this machine see arguments')
    .option('--invitation-file <file>', 'the same from a file (or from SEALWIRE_INVITATION)')
    .action((options: RegisterOptions) => {
      const invitation = invitationOf(context(), options);
      return enterAccount(profileFor(context(), options), options, (entrance) =>
        Client.register({ ...entrance, ...(invitation === undefined ? {} : { invitation }) }),
      );
    });
}

/** Throws `CliError` (`usage`). */
function invitationOf({ surroundings }: Context, options: RegisterOptions): string | undefined {
  const { invitation, invitationFile } = options;
  if (invitation !== undefined && invitationFile !== undefined)
    throw new CliError('usage', 'give --invitation or --invitation-file, not both');
  if (invitationFile !== undefined) return readSecretFile(invitationFile);
  return invitation ?? surroundings.env.SEALWIRE_INVITATION;
}

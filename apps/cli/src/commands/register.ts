/** `sealwire register`: makes keys, seals them under a passphrase, and makes the account with this device as its first. */
import { Client } from '@sealwire/client/client';
import type { Command } from 'commander';
import { type Context, profileFor } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { accountCommand } from '../options.ts';

interface RegisterOptions extends EnterOptions {
  readonly invitation?: string;
}

export function registerCommand(context: () => Context): Command {
  const command = accountCommand('register', 'Make an account, with this machine as its first device', [
    'sealwire register -u alice',
    'sealwire register -u alice -s https://chat.example.org --invitation CODE',
    'sealwire register -u robot --passphrase-file /run/secrets/robot',
  ]);
  return entranceOptions(command)
    .option('--invitation <code>', 'for servers that ask for one')
    .action((options: RegisterOptions) =>
      enterAccount(profileFor(context(), options), options, (entrance) =>
        Client.register({
          ...entrance,
          ...(options.invitation === undefined ? {} : { invitation: options.invitation }),
        }),
      ),
    );
}

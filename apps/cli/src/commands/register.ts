/** `sealwire register`: makes keys, seals them under a passphrase, and makes the account with this device as its first. */
import { requestActivation } from '@sealwire/client/activation';
import { Client } from '@sealwire/client/client';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { CliError } from '../exit-codes.ts';
import { readSecretFile } from '../input.ts';
import { accountCommand } from '../options.ts';
import { ask } from '../prompt.ts';

interface RegisterOptions extends EnterOptions {
  readonly invitation?: string;
  readonly invitationFile?: string;
  readonly email?: string;
}

export function registerCommand(context: () => Context): Command {
  const command = accountCommand('register', 'Make an account, with this machine as its first device', [
    'sealwire register -u alice',
    'sealwire register -u alice -s https://chat.example.org --invitation-file invitation.txt',
    'sealwire register -u alice -s https://chat.example.org --email alice@example.com',
    'sealwire register -u robot --passphrase-file /run/secrets/robot',
  ]);
  return entranceOptions(command)
    .option('--invitation <code>', 'for servers that ask for one; other users of this machine see arguments')
    .option('--invitation-file <file>', 'the same from a file (or from SEALWIRE_INVITATION)')
    .option('--email <address>', 'for servers that mail a code: have one sent, and type it here')
    .action(async (options: RegisterOptions) => {
      const profile = profileFor(context(), options);
      const given = invitationOf(context(), options);
      if (given === undefined && options.email !== undefined && !(await sendCode(profile, options.email))) return;
      const invitation = given ?? (options.email === undefined ? undefined : await askForCode(profile));
      await enterAccount(profile, options, (entrance) =>
        Client.register({ ...entrance, ...(invitation === undefined ? {} : { invitation }) }),
      );
    });
}

/** Whether the code can be typed here and now. Throws `ClientError`. */
async function sendCode(context: ProfileContext, email: string): Promise<boolean> {
  const { surroundings, output, configuration } = context;
  const server = (configuration.values.server.value as string).replace(/\/$/, '');
  const { runtime, interrupted: signal, stdin } = surroundings;
  const { expiresAt } = await requestActivation({ server, email, runtime, signal });
  const until = new Date(expiresAt).toISOString();
  await output.data(
    { event: 'code-sent', email, expiresAt },
    `a code for one account is on its way to ${email}, good until ${until}`,
  );
  if (!stdin.isTTY) output.note('when it is there: the same command with --invitation-file FILE instead of --email');
  return stdin.isTTY === true;
}

async function askForCode({ surroundings }: ProfileContext): Promise<string> {
  const answer = await ask('Code of the mail: ', surroundings, { echo: true, otherwise: 'give --invitation-file' });
  return answer.trim();
}

/** Throws `CliError` (`usage`). */
function invitationOf({ surroundings }: Context, options: RegisterOptions): string | undefined {
  const { invitation, invitationFile } = options;
  if (invitation !== undefined && invitationFile !== undefined)
    throw new CliError('usage', 'give --invitation or --invitation-file, not both');
  if (invitationFile !== undefined) return readSecretFile(invitationFile);
  return invitation ?? surroundings.env.SEALWIRE_INVITATION;
}

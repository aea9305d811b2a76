/** `sealwire nes register`: publishes the public keys at the provider, which mails a link that activates them. */
import { isMailAddress } from '@sealwire/wire/mail-address';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { CliError } from '../../exit-codes.ts';
import { providerOf } from '../../nes/messenger.ts';
import { nesContextFor, openNesAccount } from '../../nes/nes-account.ts';
import { type AccountOptions, accountCommand } from '../../options.ts';

interface RegisterOptions extends AccountOptions {
  readonly email: string;
}

export function nesRegisterCommand(context: () => Context): Command {
  return accountCommand('register', 'Publish the keys at the provider', [
    'sealwire nes register -u alice -e alice@example.com',
  ])
    .requiredOption('-e, --email <address>', 'where the link that activates the keys is mailed')
    .action((options: RegisterOptions) => register(context(), options));
}

async function register(context: Context, options: RegisterOptions): Promise<void> {
  const { email } = options;
  if (!isMailAddress(email)) throw new CliError('usage', `"${email}" is no mail address like alice@example.com`);
  const nes = nesContextFor(context, options);
  const account = await openNesAccount(nes);
  const { me: user, messageKeys, signKeys } = account;
  const keys = { messageKey: messageKeys.publicKey, signKey: signKeys.publicKey };
  await providerOf(account, nes).register(user, keys, email);
  await nes.output.data({ event: 'nes-registered', user, email }, `a mail is on its way to ${email}`);
  nes.output.note(`${user} can be written to once the first link in it was opened, within a day; the last one deletes`);
}

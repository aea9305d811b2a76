/** `sealwire app-passwords`: for the account's programs that know HTTP Digest and no tokens, such as Linphone. */
import { ClientError } from '@sealwire/client/errors';
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';

export function appPasswordsCommand(context: () => Context): Command {
  const make = accountCommand('make', 'Make an app password and print it, this once', [
    'sealwire app-passwords make "Linphone on the desk"',
  ]);
  make.argument('<name>', 'your own word for it: the program that will use it');
  make.action((name: string, options: AccountOptions) => makeAppPassword(context(), name, options));

  const list = accountCommand('list', 'List the app passwords, without the passwords', ['sealwire app-passwords']);
  list.action((options: AccountOptions) => listAppPasswords(context(), options));

  const revoke = accountCommand('revoke', 'Revoke an app password, at once and for good', [
    'sealwire app-passwords revoke ID',
  ]);
  revoke.argument('<id>', 'as `app-passwords list` shows it');
  revoke.action((id: string, options: AccountOptions) => revokeAppPassword(context(), id, options));

  return group('app-passwords', 'Passwords for programs like Linphone', [
    'sealwire app-passwords make "Linphone on the desk"',
    'sealwire app-passwords',
    'sealwire app-passwords revoke ID',
  ])
    .addCommand(list, { isDefault: true })
    .addCommand(make)
    .addCommand(revoke);
}

async function makeAppPassword(context: Context, name: string, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const made = await client.account.makeAppPassword(name);
    await context.output.data({ event: 'app-password', ...made }, made.password);
    context.output.note(`user ${made.user}, realm ${made.realm}; this password is not shown again`);
  });
}

async function listAppPasswords(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    for (const { id, name, createdAt, usedOn } of await client.account.appPasswords()) {
      const made = new Date(createdAt).toISOString().slice(0, 10);
      const line = `${id}  made ${made}  ${usedOn ? `used ${usedOn}` : 'never used'}  ${name}`;
      await context.output.data({ event: 'app-password', id, name, createdAt, usedOn }, line);
    }
  });
}

async function revokeAppPassword(context: Context, id: string, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    try {
      await client.account.revokeAppPassword(id);
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
      throw new CliError('failure', `there is no app password ${id}: see \`sealwire app-passwords\``);
    }
    await context.output.data({ event: 'revoked', id }, `revoked ${id}`);
  });
}

/** `sealwire logout` and `sealwire delete-account`: ways out. Both end with the keys gone from this machine. */
import { ClientError } from '@sealwire/client/errors';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { removeProfileFolder } from '../profile.ts';
import { confirm } from '../prompt.ts';

interface LeaveOptions extends AccountOptions {
  readonly yes?: boolean;
}

export function logoutCommand(context: () => Context): Command {
  return accountCommand('logout', 'Take this device out of the account, and its keys off this machine', [
    'sealwire logout',
    'sealwire logout -u alice --yes',
  ])
    .option('--yes', 'do not ask')
    .action((options: LeaveOptions) => logout(profileFor(context(), options), options));
}

export function deleteAccountCommand(context: () => Context): Command {
  return accountCommand('delete-account', 'Delete the account with all its devices, for good', [
    'sealwire delete-account -u alice',
  ])
    .option('--yes', 'do not ask')
    .action((options: LeaveOptions) => deleteAccount(profileFor(context(), options), options));
}

async function logout(context: ProfileContext, { yes }: LeaveOptions): Promise<void> {
  const { profile, output, surroundings } = context;
  const device = await withClient(context, async (client) => {
    const waiting = client.outbox.pending();
    const lost = waiting > 0 ? ` ${waiting} message(s) in the outbox are lost with them.` : '';
    await confirm(`The keys of ${client.device} go for good.${lost} Go on? [y/N] `, surroundings, {
      yes,
      otherwise: 'there is no terminal to ask: give --yes',
      refused: 'nothing was changed',
    });
    try {
      await client.account.leave();
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'unknown-account')) throw error;
      output.note('the account is gone at the server already');
    }
    return client.device;
  });
  removeProfileFolder(profile);
  await output.data({ event: 'logged-out', device }, `${device} has left, and its keys are gone`);
}

async function deleteAccount(context: ProfileContext, { yes }: LeaveOptions): Promise<void> {
  const { profile, output, surroundings } = context;
  const address = await withClient(context, async (client) => {
    const question = `${client.address} goes with all its devices and messages, and the name is never given out again. Go on? [y/N] `;
    await confirm(question, surroundings, {
      yes,
      otherwise: 'there is no terminal to ask: give --yes',
      refused: 'nothing was changed',
    });
    await client.account.delete();
    return client.address;
  });
  removeProfileFolder(profile);
  await output.data({ event: 'deleted', address }, `${address} is deleted`);
}

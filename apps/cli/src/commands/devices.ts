/** `sealwire devices`: who belongs to the account, and how a machine joins or leaves it. */
import { Client } from '@sealwire/client/client';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { parseDeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { CliError } from '../exit-codes.ts';
import { readSecretFile } from '../input.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';

interface JoinOptions extends EnterOptions {
  readonly secretFile: string;
}

export function devicesCommand(context: () => Context): Command {
  const list = accountCommand('list', 'List the devices of the account', ['sealwire devices list', 'sealwire devices']);
  list.action((options: AccountOptions) => listDevices(context(), options));

  const remove = accountCommand('remove', 'Cut a device off, for good and at once', ['sealwire devices remove ID']);
  remove.argument('<id>', 'as `devices list` shows it');
  remove.action((id: string, options: AccountOptions) => removeDevice(context(), id, options));

  const secret = accountCommand('export-secret', 'Print the account secret, with which another machine can join', [
    'sealwire devices export-secret > alice.secret',
  ]);
  secret.action((options: AccountOptions) => exportSecret(context(), options));

  const join = entranceOptions(
    accountCommand('join', 'Make this machine a further device of an account', [
      'sealwire devices join -u alice --secret-file alice.secret',
    ]),
  ).requiredOption('--secret-file <file>', 'what `devices export-secret` printed');
  join.action((options: JoinOptions) => joinAccount(context(), options));

  return group('devices', 'List, remove and add devices', ['sealwire devices', 'sealwire devices remove ID'])
    .addCommand(list, { isDefault: true })
    .addCommand(remove)
    .addCommand(secret)
    .addCommand(join);
}

async function listDevices(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    for (const { id, curves, addedAt, current } of await client.devices()) {
      const line = `${id}  ${curves.join('+')}  ${new Date(addedAt).toISOString()}${current ? '  (this one)' : ''}`;
      await context.output.data({ event: 'device', id, curves, addedAt, current }, line);
    }
  });
}

async function removeDevice(context: Context, text: string, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const id = parseId(text);
    if (id === client.device) throw new CliError('usage', 'that is this device: remove it from another one');
    await client.removeDevice(id);
    await context.output.data({ event: 'removed', id }, `removed ${id}`);
  });
}

async function exportSecret(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const secret = encodeBase64url(client.exportAccountSecret());
    await context.output.data({ event: 'account-secret', address: client.address, secret }, secret);
    context.output.warn('whoever has this secret can add devices to the account: delete the file after `devices join`');
  });
}

function joinAccount(context: Context, options: JoinOptions): Promise<void> {
  const accountSecret = readSecret(options.secretFile);
  return enterAccount(profileFor(context, options), options, (entrance) => Client.join({ ...entrance, accountSecret }));
}

function parseId(text: string) {
  try {
    return parseDeviceId(text);
  } catch (error) {
    if (error instanceof WireError) throw new CliError('usage', error.message);
    throw error;
  }
}

function readSecret(file: string): Uint8Array {
  const text = readSecretFile(file);
  try {
    return decodeBase64url(text);
  } catch {
    throw new CliError('usage', `${file} holds no account secret: make one with \`sealwire devices export-secret\``);
  }
}

/** `sealwire devices`: who belongs to the account, and how a machine joins or leaves it. */
import { Client, type UndoneLinking, type WaitingDevice } from '@sealwire/client/client';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { parseDeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { CliError } from '../exit-codes.ts';
import { fingerprint } from '../fingerprint.ts';
import { readSecretFile } from '../input.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { ordered } from '../ordered.ts';
import { confirm } from '../prompt.ts';

interface AdmitOptions extends AccountOptions {
  readonly yes?: boolean;
}

interface JoinOptions extends EnterOptions {
  readonly secretFile: string;
}

export function devicesCommand(context: () => Context): Command {
  const list = accountCommand('list', 'List the devices of the account', ['sealwire devices list', 'sealwire devices']);
  list.action((options: AccountOptions) => listDevices(context(), options));

  const admit = accountCommand('admit', 'Let a LIME device that waits, such as Linphone, have messages', [
    'sealwire devices admit ID',
    'sealwire devices admit ID --yes',
  ]);
  admit.argument('<id>', 'as `devices list` shows it');
  admit.option('--yes', 'do not ask: the keys have been compared');
  admit.action((id: string, options: AdmitOptions) => admitDevice(context(), id, options));

  const remove = accountCommand('remove', 'Cut a device off, for good and at once', ['sealwire devices remove ID']);
  remove.argument('<id>', 'as `devices list` shows it');
  remove.action((id: string, options: AccountOptions) => removeDevice(context(), id, options));

  const undo = accountCommand('undo', 'Take out again the device that came last, within ten minutes', [
    'sealwire devices undo',
  ]);
  undo.action((options: AccountOptions) => undoLinking(context(), options));

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

  return group('devices', 'List, admit, remove and add devices', [
    'sealwire devices',
    'sealwire devices admit ID',
    'sealwire devices remove ID',
  ])
    .addCommand(list, { isDefault: true })
    .addCommand(admit)
    .addCommand(remove)
    .addCommand(undo)
    .addCommand(secret)
    .addCommand(join);
}

async function listDevices(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    for (const { id, suites, addedAt, current } of await client.devices.list()) {
      const line = `${id}  ${suites.join('+')}  ${new Date(addedAt).toISOString()}${current ? '  (this one)' : ''}`;
      await context.output.data({ event: 'device', state: 'listed', id, curves: suites, addedAt, current }, line);
    }
    const waiting = await client.devices.waiting();
    for (const device of waiting) await showWaiting(context, device);
    if (waiting.length > 0)
      context.output.note(
        'a waiting device gets no messages; when its keys are what it shows itself: sealwire devices admit ID',
      );
  });
}

async function showWaiting({ output }: Context, { id, identities, since }: WaitingDevice): Promise<void> {
  const suites = identities.map(({ suite }) => suite);
  const line = `${id}  ${suites.join('+')}  ${new Date(since).toISOString()}  (waiting)`;
  const keys = identities.map(({ suite, identityKey }) => `\n  ${suite}  ${fingerprint(identityKey)}`);
  const record = { event: 'device', state: 'waiting', id, curves: suites, addedAt: since, current: false };
  await output.data({ ...record, identities: hexIdentities(identities) }, line + keys.join(''));
}

async function admitDevice(context: Context, text: string, options: AdmitOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const id = parseId(text);
    const device = (await client.devices.waiting()).find((each) => each.id === id);
    if (!device) throw new CliError('failure', `no device ${id} waits: see \`sealwire devices\``);
    const { identities } = device;
    await askAbout(context, device, options.yes);
    await client.devices.admit(id, identities);
    await context.output.data({ event: 'admitted', id, identities: hexIdentities(identities) }, `admitted ${id}`);
  });
}

function askAbout(
  { surroundings }: Context,
  { id, identities }: WaitingDevice,
  yes: boolean | undefined,
): Promise<void> {
  const keys = identities.map(({ suite, identityKey }) => `  ${suite}  ${fingerprint(identityKey)}\n`).join('');
  return confirm(
    `${id}\n${keys}From now on it reads what is written to you. Are these its keys? [y/N] `,
    surroundings,
    {
      yes,
      otherwise: 'there is no terminal to ask whether these are its keys: compare them, then give --yes',
      refused: 'not admitted',
    },
  );
}

function hexIdentities(identities: WaitingDevice['identities']): { curve: string; identityKey: string }[] {
  return identities.map(({ suite, identityKey }) => ({
    curve: suite,
    identityKey: Buffer.from(identityKey).toString('hex'),
  }));
}

async function removeDevice(context: Context, text: string, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const id = parseId(text);
    if (id === client.device) throw new CliError('usage', 'that is this device: `sealwire logout` takes it out');
    await client.devices.remove(id);
    await context.output.data({ event: 'removed', id }, `removed ${id}`);
  });
}

async function undoLinking(context: Context, options: AccountOptions): Promise<void> {
  const profile = profileFor(context, options);
  const { device, administrator } = await ordered<UndoneLinking>(profile, { undo: 'linking' });
  await context.output.data({ event: 'undone', id: device, administrator }, `removed ${device}`);
  if (administrator)
    context.output.warn(
      'it was given the account’s secret, and can come back: only a reset by the operator keeps it out',
    );
}

async function exportSecret(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const secret = encodeBase64url(client.account.exportSecret());
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

/** `sealwire nes config`: broker, provider and its pinned key of one user. They are sealed with the keys: who changes them reads along. */

import { NesError } from '@sealwire/nes/errors';
import { parsePublicKey, publicKeyText } from '@sealwire/nes/keys';
import { canonicalServer } from '@sealwire/wire/server-address';
import { urlIn } from '@sealwire/wire/url';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { CliError } from '../../exit-codes.ts';
import { readSecretFile } from '../../input.ts';
import { withoutPassword } from '../../nes/broker.ts';
import { changeSettings, type NesSettings, nesContextFor } from '../../nes/nes-account.ts';
import { type AccountOptions, accountCommand } from '../../options.ts';

/** As the genuine client has them, and mqtt.js. */
const BROKER = /^(mqtts?|tcp|ssl|wss?):\/\/[^/]/;

interface ConfigOptions extends AccountOptions {
  readonly broker?: string;
  readonly provider?: string;
  readonly providerKey?: string;
  readonly providerKind?: 'ours' | 'genuine';
}

export function nesConfigCommand(context: () => Context): Command {
  return accountCommand('config', 'Show or change broker and provider', [
    'sealwire nes config -u alice',
    'sealwire nes config -u alice -b mqtts://broker.example.org -p https://chat.example.org -P provider.pem',
  ])
    .option('-b, --broker <url>', 'mqtt:, mqtts:, tcp:, ssl:, ws: or wss:, with user and password if it asks for them')
    .option('-p, --provider <url>', 'the public-keys provider')
    .option('-P, --provider-key <file>', 'its public key, PEM, from its operator: no other answer is believed')
    .addOption(
      new Option(
        '--provider-kind <kind>',
        'genuine: its answers name neither user nor time, and are believed without',
      ).choices(['ours', 'genuine']),
    )
    .action((options: ConfigOptions) => config(context(), options));
}

async function config(context: Context, options: ConfigOptions): Promise<void> {
  const { broker, provider, providerKey, providerKind } = options;
  const changes: Partial<NesSettings> = {
    ...(broker !== undefined && { broker: brokerIn(broker) }),
    ...(provider !== undefined && { provider: providerIn(provider) }),
    ...(providerKey !== undefined && { providerKey: keyIn(providerKey) }),
    ...(providerKind !== undefined && { isGenuineProvider: providerKind === 'genuine' }),
  };
  const nes = nesContextFor(context, options);
  const settings = await changeSettings(nes, changes);
  const shown = {
    broker: settings.broker && withoutPassword(settings.broker),
    provider: settings.provider,
    provider_key: settings.providerKey,
    provider_kind: settings.isGenuineProvider ? 'genuine' : 'ours',
  };
  for (const [name, value] of Object.entries(shown))
    await nes.output.data({ event: 'nes-setting', name, value: value ?? null }, `${name.padEnd(14)}${value ?? '-'}`);
}

function brokerIn(text: string): string {
  if (BROKER.test(text) && urlIn(text)) return text;
  // The value itself is not repeated: it may carry a password.
  throw new CliError('usage', 'the broker is no URL like mqtts://broker.example.org');
}

function providerIn(text: string): string {
  const url = canonicalServer(text);
  if (url === undefined) throw new CliError('usage', `"${text}" is no address like https://chat.example.org`);
  return url.replace(/\/$/, '');
}

function keyIn(file: string): string {
  try {
    return publicKeyText(parsePublicKey(readSecretFile(file)));
  } catch (error) {
    if (!(error instanceof NesError)) throw error;
    throw new CliError('usage', `${file}: ${error.message}; \`openssl rsa -in nes-key.pem -pubout\` makes one`);
  }
}

/** `sealwire recovery`: the key on paper that brings a new device in when all are lost, and whether it is still the right one. */
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { readSecretFile } from '../input.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { ask } from '../prompt.ts';
import type { Surroundings } from '../surroundings.ts';

interface CheckOptions extends AccountOptions {
  readonly keyFile?: string;
}

export function recoveryCommand(context: () => Context): Command {
  const show = accountCommand('show', 'Print the recovery key, to be kept on paper', [
    'sealwire recovery show',
    'sealwire recovery show | lp',
  ]);
  show.action((options: AccountOptions) => showKey(context(), options));
  const check = accountCommand('check', 'Compare what is on paper with this account', [
    'sealwire recovery check',
    'sealwire recovery check --key-file paper.txt',
  ]);
  check.option('--key-file <file>', 'what was typed off the paper');
  check.action((options: CheckOptions) => checkKey(context(), options));
  return group('recovery', 'The key on paper for when every device is lost', [
    'sealwire recovery show',
    'sealwire recovery check',
  ])
    .addCommand(show)
    .addCommand(check);
}

/** From a file, or from whoever sits at the terminal. Throws `CliError` (`usage`). */
export async function typedKey(keyFile: string | undefined, surroundings: Surroundings): Promise<string> {
  if (keyFile !== undefined) return readSecretFile(keyFile);
  return ask('Recovery key, all fourteen groups in one line: ', surroundings, {
    echo: true,
    otherwise: 'there is no terminal to type the recovery key: give --key-file FILE',
  });
}

async function showKey({ output, ...context }: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor({ output, ...context }, options), async (client) => {
    const key = client.account.recoveryKey();
    const { address, server } = client;
    await output.data({ event: 'recovery-key', address, server, key: key.replaceAll(/\s/g, ' ') }, key);
    output.note(`of ${address} at ${server}: when every device is lost, \`sealwire recover\` asks for it`);
    output.warn('whoever reads this key is you: keep it on paper, and not beside the machine');
  });
}

async function checkKey(context: Context, options: CheckOptions): Promise<void> {
  const { output, surroundings } = context;
  await withClient(profileFor(context, options), async (client) => {
    const typed = await typedKey(options.keyFile, surroundings);
    if (!client.account.isRecoveryKey(typed))
      throw new CliError('failure', `this is the recovery key of another account than ${client.address}`);
    await output.data(
      { event: 'recovery-key-good', address: client.address },
      `this is the recovery key of ${client.address}`,
    );
  });
}

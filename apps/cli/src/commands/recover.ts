/** `sealwire recover`: the way back to a name whose devices are all lost, by the recovery key or by the operator's code (docs/spec/recovery.md). */
import { Client } from '@sealwire/client/client';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor } from '../context.ts';
import { type EnterOptions, enterAccount, entranceOptions } from '../enter-account.ts';
import { CliError } from '../exit-codes.ts';
import { readSecretFile } from '../input.ts';
import { accountCommand } from '../options.ts';
import { typedKey } from './recovery.ts';

interface RecoverOptions extends EnterOptions {
  readonly keyFile?: string;
  readonly keepDevices?: boolean;
  readonly resetCodeFile?: string;
}

export function recoverCommand(context: () => Context): Command {
  const command = accountCommand('recover', 'Make this machine the device of an account whose devices are lost', [
    'sealwire recover -u alice -s https://chat.example.org',
    'sealwire recover -u alice --key-file paper.txt --keep-devices',
    'sealwire recover -u alice --reset-code-file code.txt',
  ]);
  return entranceOptions(command)
    .option('--key-file <file>', 'the recovery key, where there is no terminal to type it')
    .option('--keep-devices', 'the devices that the account still has stay')
    .option('--reset-code-file <file>', 'without the recovery key: the code of the operator. Contacts are warned')
    .action((options: RecoverOptions) => recover(profileFor(context(), options), options));
}

async function recover(context: ProfileContext, options: RecoverOptions): Promise<void> {
  const { keyFile, keepDevices = false, resetCodeFile } = options;
  if (resetCodeFile !== undefined && (keyFile !== undefined || keepDevices))
    throw new CliError(
      'usage',
      'a reset code makes the account anew: give neither --key-file nor --keep-devices with it',
    );
  if (resetCodeFile !== undefined) {
    const resetCode = readSecretFile(resetCodeFile);
    return enterAccount(context, options, (entrance) => Client.register({ ...entrance, resetCode }));
  }
  const recoveryKey = await typedKey(keyFile, context.surroundings);
  return enterAccount(context, options, (entrance) => Client.recover({ ...entrance, recoveryKey, keepDevices }));
}

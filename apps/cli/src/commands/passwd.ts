/** `sealwire passwd`: another passphrase for the keys of this machine. The keys themselves stay what they are. */
import type { Command } from 'commander';
import { type Context, openKeys, type ProfileContext, profileFor } from '../context.ts';
import { replaceKeyStore } from '../key-store.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { readNewPassphrase } from '../passphrase.ts';

interface PasswdOptions extends AccountOptions {
  readonly newPassphraseFile?: string;
  /** commander: false when `--no-passphrase` is given. */
  readonly passphrase: boolean;
}

export function passwdCommand(context: () => Context): Command {
  return accountCommand('passwd', 'Change the passphrase of the keys on this machine', [
    'sealwire passwd',
    'sealwire passwd -u robot --passphrase-file old --new-passphrase-file new',
  ])
    .option('--new-passphrase-file <file>', 'read the new passphrase from the first line of a file')
    .option('--no-passphrase', 'keep the keys unencrypted: whoever reads the files is you')
    .action((options: PasswdOptions) => changePassphrase(profileFor(context(), options), options));
}

async function changePassphrase(context: ProfileContext, options: PasswdOptions): Promise<void> {
  const { profile, surroundings, output } = context;
  const { crypto, random } = surroundings.runtime;
  const tools = { crypto, random, parameters: surroundings.passphraseCost };
  const { folder, key } = await openKeys(context);
  try {
    const source = { fd: undefined, file: options.newPassphraseFile };
    const next = options.passphrase ? await readNewPassphrase(source, profile.user, surroundings, output) : undefined;
    await replaceKeyStore(profile.keysFile, key, next, tools);
  } finally {
    await folder.close();
  }
  if (!options.passphrase) output.warn('the keys lie unencrypted on this machine');
  await output.data(
    { event: 'passphrase-changed', user: profile.user },
    `the keys of ${profile.user} have a new passphrase`,
  );
}

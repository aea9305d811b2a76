/** `sealwire nes generate`: the two key pairs of a user of NES, sealed under a passphrase. */
import { BITS, DEFAULT_BITS, generateKeys } from '@sealwire/nes/keys';
import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../../context.ts';
import { createNesAccount, nesContextFor } from '../../nes/nes-account.ts';
import { type AccountOptions, accountCommand } from '../../options.ts';

interface GenerateOptions extends AccountOptions {
  readonly bits: number;
  /** commander: false when `--no-passphrase` is given. */
  readonly passphrase: boolean;
}

export function nesGenerateCommand(context: () => Context): Command {
  return accountCommand('generate', 'Make keys for NES', ['sealwire nes generate -u alice'])
    .option('-s, --bits <n>', `the size of the keys, ${BITS.minimum} to ${BITS.maximum}`, parseBits, DEFAULT_BITS)
    .option('--no-passphrase', 'keep the keys unencrypted: whoever reads the files is you')
    .action((options: GenerateOptions) => generate(context(), options));
}

async function generate(context: Context, options: GenerateOptions): Promise<void> {
  const nes = nesContextFor(context, options);
  const [messageKeys, signKeys] = await Promise.all([generateKeys(options.bits), generateKeys(options.bits)]);
  await createNesAccount(nes, { messageKeys, signKeys }, options.passphrase);
  const { me: user, profile, output } = nes;
  await output.data({ event: 'nes-keys', user, bits: options.bits }, `keys of ${user}: ${profile.folder}`);
}

function parseBits(text: string): number {
  const bits = Number(text);
  if (!Number.isInteger(bits) || bits % 8 !== 0 || bits < BITS.minimum || bits > BITS.maximum)
    throw new InvalidArgumentError(`A multiple of 8 from ${BITS.minimum} to ${BITS.maximum}.`);
  return bits;
}

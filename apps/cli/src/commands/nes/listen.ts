/** `sealwire nes listen`: prints what arrives. The broker forgets a message when it was printed; what was not comes again. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { withReader } from '../../nes/messenger.ts';
import { nesContextFor } from '../../nes/nes-account.ts';
import { type AccountOptions, accountCommand } from '../../options.ts';
import { parseCount } from '../../waiting.ts';

interface ListenOptions extends AccountOptions {
  readonly count?: number;
}

export function nesListenCommand(context: () => Context): Command {
  return accountCommand('listen', 'Print messages as they arrive', [
    'sealwire nes listen -u alice',
    'sealwire nes listen -u robot --json --count 1 | jq -r .text',
  ])
    .option('--count <n>', 'end after this many messages', parseCount)
    .action((options: ListenOptions) => listen(context(), options));
}

async function listen(context: Context, options: ListenOptions): Promise<void> {
  let left = options.count;
  const enough = new AbortController();
  const signal = AbortSignal.any([context.surroundings.interrupted, enough.signal]);
  await withReader(nesContextFor(context, options), (messenger) =>
    messenger.read(signal, () => {
      if (left !== undefined && --left === 0) enough.abort();
    }),
  );
}

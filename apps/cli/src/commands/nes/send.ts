/** `sealwire nes send`: one message, published by a broker. Ends when the broker has it. */
import { parseUsername } from '@sealwire/nes/username';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { CliError } from '../../exit-codes.ts';
import { withSender } from '../../nes/messenger.ts';
import { nesContextFor } from '../../nes/nes-account.ts';
import { type AccountOptions, accountCommand } from '../../options.ts';
import { parseSeconds, settledWithin } from '../../waiting.ts';
import { textToSend } from '../send.ts';

interface SendOptions extends AccountOptions {
  readonly to: string;
  readonly message?: string;
  readonly wait: number;
}

export function nesSendCommand(context: () => Context): Command {
  return accountCommand('send', 'Send one message', ['sealwire nes send -u alice -t bob -m "see you at eight"'])
    .requiredOption('-t, --to <name>', 'a user of NES')
    .option('-m, --message <text>', 'the text; - or absent: all of stdin')
    .option('--wait <seconds>', 'how long to wait for the broker to take it', parseSeconds, 10)
    .action((options: SendOptions) => send(context(), options));
}

async function send(context: Context, options: SendOptions): Promise<void> {
  const to = parseUsername(options.to);
  const text = await textToSend(options.message, context);
  await withSender(nesContextFor(context, options), async (messenger) => {
    const outcome = await settledWithin(messenger.send(to, text), options.wait, context.surroundings.interrupted);
    if (outcome === 'too-late')
      throw new CliError('offline', 'the broker did not take it in time: nothing is kept, send it again');
  });
}

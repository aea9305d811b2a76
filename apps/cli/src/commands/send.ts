/** `sealwire send`: one message. Ends when the server holds it durably, or when the patience is over and it waits in the outbox. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { readAll } from '../input.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { acceptedRecord, leftOutText } from '../show-event.ts';
import { parseSeconds, settledWithin } from '../waiting.ts';

interface SendOptions extends AccountOptions {
  readonly to: string;
  readonly message?: string;
  readonly wait: number;
}

export function sendCommand(context: () => Context): Command {
  return accountCommand('send', 'Send one message', [
    'sealwire send -t bob -m "see you at eight"',
    'git log -1 | sealwire send -u robot -t alice@example.org',
    'sealwire send -t bob -m hello --wait 60 || echo "it goes out with the next send, listen or chat"',
  ])
    .requiredOption('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org')
    .option('-m, --message <text>', 'the text; - or absent: all of stdin')
    .option('--wait <seconds>', 'how long to wait for the server to accept it', parseSeconds, 10)
    .action((options: SendOptions) => send(profileFor(context(), options), options));
}

async function send(context: ProfileContext, options: SendOptions): Promise<void> {
  const { surroundings, output } = context;
  const text = await textOf(options.message, context);
  await withClient(context, async (client) => {
    const to = parseRecipient(options.to, client.address);
    void client.connect();
    const { id, accepted } = await client.send(to, text);
    let leftOut: readonly DeviceId[] = [];
    const told = accepted.then((acceptance) => {
      leftOut = acceptance.leftOut;
    });
    const ending = await settledWithin(told, options.wait, surroundings.interrupted);
    if (ending === 'too-late') {
      await output.data({ event: 'queued', id, to }, `queued for ${shortName(to, client.address)}`);
      throw new CliError(
        'offline',
        `the server did not accept it within ${options.wait} s: it stays in the outbox and goes out with the next send, listen or chat`,
      );
    }
    if (leftOut.length > 0) output.warn(leftOutText(leftOut));
    await output.data(acceptedRecord(id, to, leftOut), `accepted for ${shortName(to, client.address)}`);
  });
}

async function textOf(message: string | undefined, { surroundings }: Context): Promise<string> {
  if (message !== undefined && message !== '-') return message;
  const text = (await readAll(surroundings.stdin, surroundings.interrupted)).replace(/\r?\n$/, '');
  if (text === '') throw new CliError('usage', 'there is nothing to send: give -m TEXT, or the text on stdin');
  return text;
}

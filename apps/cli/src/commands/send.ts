/** `sealwire send`: one message. Ends when the server holds it durably, or when the patience is over and it waits in the outbox. */
import type { Client } from '@sealwire/client/client';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { readAll } from '../input.ts';
import { type AccountOptions, accountCommand, collect } from '../options.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { acceptedRecord, leftOutText } from '../show-event.ts';
import { parseSeconds, settledWithin } from '../waiting.ts';

interface SendOptions extends AccountOptions {
  readonly to: readonly string[];
  readonly message?: string;
  readonly wait: number;
}

export function sendCommand(context: () => Context): Command {
  return accountCommand('send', 'Send one message', [
    'sealwire send -t bob -m "see you at eight"',
    'git log -1 | sealwire send -u robot -t alice@example.org -t bob',
    'sealwire send -t bob -m hello --wait 60 || echo "it goes out with the next send, listen or chat"',
  ])
    .requiredOption('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org; may be repeated', collect)
    .option('-m, --message <text>', 'the text; - or absent: all of stdin')
    .option('--wait <seconds>', 'how long to wait for the server to accept it', parseSeconds, 10)
    .action((options: SendOptions) => send(profileFor(context(), options), options));
}

async function send(context: ProfileContext, options: SendOptions): Promise<void> {
  const text = await textToSend(options.message, context);
  await withClient(context, async (client) => {
    const recipients = new Set(options.to.map((to) => parseRecipient(to, client.address)));
    void client.connect();
    const outcomes = await Promise.allSettled(
      [...recipients].map((to) => sendOne(context, client, to, text, options.wait)),
    );
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    if (failures.length === 0) return;
    // The last one is said by the program, which also takes its exit code from it.
    for (const failure of failures.slice(0, -1)) context.output.error(failure);
    throw failures.at(-1);
  });
}

async function sendOne(
  { surroundings, output }: ProfileContext,
  client: Client,
  to: AccountAddress,
  text: string,
  waitSeconds: number,
): Promise<void> {
  const { id, accepted } = await client.send(to, text);
  let leftOut: readonly DeviceId[] = [];
  const told = accepted.then((acceptance) => {
    leftOut = acceptance.leftOut;
  });
  const ending = await settledWithin(told, waitSeconds, surroundings.interrupted);
  if (ending === 'too-late') {
    await output.data({ event: 'queued', id, to }, `queued for ${shortName(to, client.address)}`);
    throw new CliError(
      'offline',
      `the server did not accept it within ${waitSeconds} s: it stays in the outbox and goes out with the next send, listen or chat`,
    );
  }
  if (leftOut.length > 0) output.warn(leftOutText(leftOut));
  await output.data(acceptedRecord(id, to, leftOut), `accepted for ${shortName(to, client.address)}`);
}

async function textToSend(message: string | undefined, { surroundings }: Context): Promise<string> {
  const given = message !== undefined && message !== '-';
  const text = given ? message : (await readAll(surroundings.stdin, surroundings.interrupted)).replace(/\r?\n$/, '');
  if (text === '') throw new CliError('usage', 'there is nothing to send: give -m TEXT, or the text on stdin');
  return text;
}

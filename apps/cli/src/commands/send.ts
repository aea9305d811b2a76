/** `sealwire send`: one message. Ends when the server holds it durably, or when the patience is over and it waits in the outbox. */
import type { Command } from 'commander';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError, endingOf } from '../exit-codes.ts';
import { readAll } from '../input.ts';
import { type AccountOptions, accountCommand, collect } from '../options.ts';
import type { Output } from '../output.ts';
import { order } from '../profile-socket.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { type SendOutcome, sendAndWait } from '../send-and-wait.ts';
import { acceptedRecord, leftOutText } from '../show-event.ts';
import { parseSeconds } from '../waiting.ts';

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
  try {
    await withClient(context, async (client) => {
      const recipients = new Set(options.to.map((to) => parseRecipient(to, client.address)));
      void client.connect();
      await toEach([...recipients], context, (to) =>
        sendAndWait(client, to, text, options.wait, context.surroundings.interrupted),
      );
    });
  } catch (error) {
    // `chat` or `listen` has the keys: it sends for us.
    if (endingOf(error) !== 'locked') throw error;
    await toEach([...new Set(options.to)], context, async (to) => {
      const outcome = await order(context.profile, { to, text, wait: options.wait });
      if (!outcome) throw error;
      return outcome;
    });
  }
}

/** Each recipient gets the message, whatever becomes of the others. Throws the last failure; those before it are told. */
async function toEach<Recipient>(
  recipients: readonly Recipient[],
  { output }: ProfileContext,
  sendTo: (recipient: Recipient) => Promise<SendOutcome>,
): Promise<void> {
  const outcomes = await Promise.allSettled(recipients.map(async (to) => report(output, await sendTo(to))));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  for (const failure of failures.slice(0, -1)) output.error(failure);
  if (failures.length > 0) throw failures.at(-1);
}

/** Throws `CliError` (`offline`) for a message that waits in the outbox. */
async function report(output: Output, { id, from, to, queued, leftOut, because }: SendOutcome): Promise<void> {
  const name = shortName(to, from);
  if (queued) {
    await output.data({ event: 'queued', id, to }, `queued for ${name}`);
    throw new CliError(
      'offline',
      `the server did not accept it in time${because ? ` (${because})` : ''}: it stays in the outbox and goes out with the next send, listen or chat`,
    );
  }
  if (leftOut.length > 0) output.warn(leftOutText(leftOut));
  await output.data(acceptedRecord(id, to, leftOut), `accepted for ${name}`);
}

/** Of `-m`, or all of stdin. Throws `CliError`. */
export async function textToSend(message: string | undefined, { surroundings }: Context): Promise<string> {
  const given = message !== undefined && message !== '-';
  const text = given ? message : (await readAll(surroundings.stdin, surroundings.interrupted)).replace(/\r?\n$/, '');
  if (text === '') throw new CliError('usage', 'there is nothing to send: give -m TEXT, or the text on stdin');
  return text;
}

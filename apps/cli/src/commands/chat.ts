/** `sealwire chat`: a conversation line by line, on any terminal and in a pipe. Ends at the end of input, after the outbox is empty. */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Command } from 'commander';
import { connectionNotes } from '../connection-notes.ts';
import { type Context, type ProfileContext, profileFor, withClient } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { eachLine } from '../input.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import type { Output } from '../output.ts';
import { parseRecipient, shortName } from '../recipient.ts';
import { acceptedRecord, leftOutText, showEvent } from '../show-event.ts';
import { parseSeconds, settledWithin } from '../waiting.ts';

interface ChatOptions extends AccountOptions {
  readonly to: string;
  readonly wait: number;
}

export function chatCommand(context: () => Context): Command {
  return accountCommand('chat', 'Write and read, line by line', [
    'sealwire chat -t bob',
    'sealwire chat -u alice -t bob@example.org',
    'tail -f events.log | sealwire chat -u robot -t alice',
  ])
    .requiredOption('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org')
    .option('--wait <seconds>', 'at the end of input: how long to wait until all is accepted', parseSeconds, 10)
    .action((options: ChatOptions) => chat(profileFor(context(), options), options));
}

async function chat(context: ProfileContext, options: ChatOptions): Promise<void> {
  const { surroundings, output } = context;
  await withClient(context, async (client) => {
    const to = parseRecipient(options.to, client.address);
    client.onState(connectionNotes((text) => output.note(text)));
    void client.connect();
    output.note(`chatting with ${shortName(to, client.address)}; end with Ctrl-D`);
    // Whichever side ends first ends the other: the end of input, Ctrl-C, or the server's last word (a removed device).
    const ended = new AbortController();
    const signal = AbortSignal.any([surroundings.interrupted, ended.signal]);
    const reading = readIncoming(context, client, signal).finally(() => ended.abort());
    const writing = writeLines(context, client, to, options.wait, signal).finally(() => ended.abort());
    const [read, wrote] = await Promise.allSettled([reading, writing]);
    if (read.status === 'rejected') throw read.reason;
    if (wrote.status === 'rejected') throw wrote.reason;
    if (wrote.value > 0)
      throw new CliError(
        'offline',
        `${wrote.value} of your lines stay in the outbox and go out with the next send, listen or chat`,
      );
  });
}

/** Messages of others are shown too, with their names: what was taken from the mailbox must not vanish. */
async function readIncoming({ output }: ProfileContext, client: Client, signal: AbortSignal): Promise<void> {
  for await (const event of client.messages({ signal })) await showEvent(output, event, client.address);
}

/** Returns how many lines the server has not accepted in the end. */
async function writeLines(
  { surroundings, output }: ProfileContext,
  client: Client,
  to: AccountAddress,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<number> {
  const pending = new Set<Promise<void>>();
  await eachLine(surroundings.stdin, signal, async (line) => {
    if (line.trim() === '') return;
    try {
      const { id, accepted } = await client.send(to, line);
      const settled: Promise<void> = accepted
        .then(
          ({ leftOut }) => reportAccepted(output, id, to, leftOut),
          (error: unknown) => reportUnsent(output, error),
        )
        .finally(() => pending.delete(settled));
      pending.add(settled);
    } catch (error) {
      // One line that cannot be sent does not end the conversation.
      output.error(error);
    }
  });
  if (signal.aborted) return pending.size;
  await settledWithin(Promise.all(pending), waitSeconds, signal);
  return pending.size;
}

async function reportAccepted(
  output: Output,
  id: string,
  to: AccountAddress,
  leftOut: readonly DeviceId[],
): Promise<void> {
  if (leftOut.length > 0) output.warn(leftOutText(leftOut));
  if (output.json) await output.data(acceptedRecord(id, to, leftOut), '');
}

/** A line that is still in the outbox when we close is counted, not reported one by one. */
function reportUnsent(output: Output, error: unknown): void {
  if (!(error instanceof ClientError && error.code === 'closed')) output.error(error);
}

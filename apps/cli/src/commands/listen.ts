/** `sealwire listen`: prints what arrives. A message counts as taken only when it was printed; what was not comes again. */
import type { Client } from '@sealwire/client/client';
import type { Command } from 'commander';
import { connectionNotes } from '../connection-notes.ts';
import { type Context, type ProfileContext, profileFor, withClientForOthers } from '../context.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { showPresence } from '../presence.ts';
import { showComparisons } from '../show-comparisons.ts';
import { showEvent } from '../show-event.ts';
import { parseCount } from '../waiting.ts';

interface ListenOptions extends AccountOptions {
  readonly count?: number;
  readonly untilCaughtUp?: boolean;
}

export function listenCommand(context: () => Context): Command {
  return accountCommand('listen', 'Print messages as they arrive', [
    'sealwire listen',
    'sealwire listen -u alice --until-caught-up',
    'sealwire listen -u robot --json --count 1 | jq -r .text',
  ])
    .option('--count <n>', 'end after this many messages', parseCount)
    .option('--until-caught-up', 'end when everything that waited has been printed')
    .action((options: ListenOptions) => listen(profileFor(context(), options), options));
}

async function listen(context: ProfileContext, { count, untilCaughtUp = false }: ListenOptions): Promise<void> {
  const { surroundings, output } = context;
  const notes = connectionNotes((text) => output.note(text));
  const work = async (client: Client) => {
    client.onState(notes.state);
    showPresence(client, output, surroundings.stderr.isTTY === true);
    showComparisons(client, output);
    void client.connect();
    let left = count;
    // A loop that ends by its signal has taken the message it was given; one that ends by `break` has not.
    const enough = new AbortController();
    const signal = AbortSignal.any([surroundings.interrupted, enough.signal]);
    for await (const event of client.messages({ signal, untilCaughtUp })) {
      await showEvent(output, event, client);
      if (event.kind === 'message' && left !== undefined && --left === 0) enough.abort();
    }
  };
  await withClientForOthers(context, work, notes.trace);
}

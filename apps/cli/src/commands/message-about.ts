/** `sealwire reply`, `edit`, `delete`, `react`: messages about a message that there is. While `listen` or `chat` has the keys, it sends them. */
import type { Command } from 'commander';
import { type Context, profileFor } from '../context.ts';
import { CliError } from '../exit-codes.ts';
import { groupTarget, nameOfTarget } from '../group-work.ts';
import type { About } from '../message-about.ts';
import { type AccountOptions, accountCommand } from '../options.ts';
import { ordered } from '../ordered.ts';
import { shortName } from '../recipient.ts';
import { reportSent, type SendOutcome } from '../send-and-wait.ts';
import { parseSeconds } from '../waiting.ts';
import { textToSend } from './send.ts';

interface AboutOptions extends AccountOptions {
  readonly to?: string;
  readonly group?: string;
  readonly message?: string;
  readonly author?: string;
  readonly leaveOut?: boolean;
  readonly wait: number;
}

const ID = 'its id, as `listen --json` and `history show --json` print it';

export function messageAboutCommands(context: () => Context): Command[] {
  const about = (name: string, summary: string, examples: readonly string[]) =>
    accountCommand(name, summary, examples)
      .argument('<id>', ID)
      .option('-t, --to <address>', 'in the conversation with bob, bob@example.org or sip:bob@example.org')
      .option('-g, --group <name>', 'in a group, by its name or address')
      .option('--leave-out', 'devices that are kept out do not get it, the others do')
      .option('--wait <seconds>', 'how long to wait for the server to accept it', parseSeconds, 10);
  const run = async (order: About, options: AboutOptions, text: string) => say(context(), order, options, text);

  const reply = about('reply', 'Answer a message', ['sealwire reply 0Vd2… -t bob -m "yes, at eight"'])
    .option('-m, --message <text>', 'the text; - or absent: all of stdin')
    .option('--author <address>', 'who wrote the message (default: the one who is written to)')
    .action(async (message: string, options: AboutOptions) => {
      const { author } = options;
      const order = { do: 'reply', message, ...(author !== undefined && { author }) } as const;
      await run(order, options, await textToSend(options.message, context()));
    });
  const edit = about('edit', 'Put another text in the place of a message of yours', [
    'sealwire edit 0Vd2… -t bob -m "at nine"',
  ])
    .option('-m, --message <text>', 'the text; - or absent: all of stdin')
    .action(async (message: string, options: AboutOptions) =>
      run({ do: 'edit', message }, options, await textToSend(options.message, context())),
    );
  const remove = about('delete', 'Ask for a message of yours to be shown no more', [
    'sealwire delete 0Vd2… -t bob',
  ]).action((message: string, options: AboutOptions) => run({ do: 'delete', message }, options, ''));
  const react = about('react', 'React to a message', ['sealwire react 0Vd2… 👍 -t bob', 'sealwire react 0Vd2… -g trio'])
    .argument('[emoji]', 'the one of yours that the message has; absent: it is taken back', '')
    .action((message: string, emoji: string, options: AboutOptions) => run({ do: 'react', message }, options, emoji));
  return [reply, edit, remove, react];
}

async function say(context: Context, about: About, options: AboutOptions, text: string): Promise<void> {
  const profile = profileFor(context, options);
  const { leaveOut = false, wait } = options;
  const to = targetOf(options);
  const sent = await ordered<SendOutcome>(profile, { about, to, text, wait, leaveOut });
  await reportSent(profile.output, [sent], nameOfTarget(to) ?? shortName(sent.to, sent.from));
}

/** Throws `CliError` (`usage`). */
function targetOf({ to, group }: AboutOptions): string {
  if ((to === undefined) === (group === undefined))
    throw new CliError('usage', 'in which conversation? give -t ADDRESS or -g GROUP');
  return to ?? groupTarget(group!);
}

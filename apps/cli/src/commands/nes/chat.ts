/**
 * `sealwire nes chat`: a conversation line by line, with line editing on a terminal. What others write is shown too: the broker forgets it.
 * Ends at the end of input, when the broker has all lines or the patience is over.
 */
import { parseUsername } from '@sealwire/nes/username';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { CliError } from '../../exit-codes.ts';
import { eachLine, textOf } from '../../input.ts';
import { LineEditor } from '../../line-editor.ts';
import { type Messenger, withReader } from '../../nes/messenger.ts';
import { nesContextFor } from '../../nes/nes-account.ts';
import { type AccountOptions, accountCommand } from '../../options.ts';
import { parseSeconds, settledWithin } from '../../waiting.ts';

interface ChatOptions extends AccountOptions {
  readonly to: string;
  readonly wait: number;
}

export function nesChatCommand(context: () => Context): Command {
  return accountCommand('chat', 'Write and read, line by line', ['sealwire nes chat -u alice -t bob'])
    .requiredOption('-t, --to <name>', 'a user of NES')
    .option('--wait <seconds>', 'at the end of input: how long to wait until the broker has all', parseSeconds, 10)
    .action((options: ChatOptions) => chat(context(), options));
}

async function chat(context: Context, options: ChatOptions): Promise<void> {
  await withReader(nesContextFor(context, options), async (messenger) => {
    // Whichever side ends first ends the other.
    const ended = new AbortController();
    const signal = AbortSignal.any([context.surroundings.interrupted, ended.signal]);
    const writing = writeLines(context, messenger, options, signal).finally(() => ended.abort());
    const reading = messenger.read(signal).finally(() => ended.abort());
    const [wrote, read] = await Promise.allSettled([writing, reading]);
    if (read.status === 'rejected') throw read.reason;
    if (wrote.status === 'rejected') throw wrote.reason;
    const { failed, waiting } = wrote.value;
    if (failed > 0) throw new CliError('failure', `${failed} of your lines could not be sent`);
    if (waiting > 0)
      throw new CliError('offline', `the broker does not have ${waiting} of your lines: nothing is kept`);
  });
}

async function writeLines(
  { surroundings }: Context,
  messenger: Messenger,
  options: ChatOptions,
  signal: AbortSignal,
): Promise<{ readonly failed: number; readonly waiting: number }> {
  const { stdin, stdout, stderr } = surroundings;
  const to = parseUsername(options.to);
  const pending = new Set<Promise<void>>();
  let failed = 0;
  const send = async (text: string) => {
    if (text.trim() === '') return;
    const settled: Promise<void> = messenger
      .send(to, text)
      .catch((error: unknown) => {
        failed++;
        messenger.output.error(error);
      })
      .finally(() => pending.delete(settled));
    pending.add(settled);
  };
  messenger.output.note(`chatting with ${to}; end with Ctrl-D`);
  if (stdin.isTTY && stderr.isTTY && !messenger.output.json) {
    const editor = new LineEditor(stdin, stderr, `you → ${to}: `, (line) => [[], line]);
    const { above } = editor;
    messenger.output = messenger.output.through({ stdout: stdout.isTTY ? above : stdout, stderr: above });
    await editor.eachLine(signal, send);
  } else await eachLine(stdin, signal, (line) => send(textOf(line, 'a line').replace(/\r$/, '')));
  stdin.destroy();
  if (!signal.aborted) await settledWithin(Promise.all(pending), options.wait, signal);
  return { failed, waiting: pending.size };
}

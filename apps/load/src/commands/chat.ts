/** `sealwire-load chat`: pairs of people who write to each other. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { runOne } from './run-one.ts';
import { withRunOptions } from './run-options.ts';
import { count, withTalkOptions } from './talk-options.ts';

export function chatCommand(context: Context): Command {
  const command = new Command('chat')
    .description('pairs of people who write to each other')
    .addOption(count('--pairs <n>', 'of people', 10));
  withTalkOptions(command);
  return withRunOptions(command, context.surroundings, '10s').action((url: string, options) =>
    runOne(context, 'chat', url, options),
  );
}

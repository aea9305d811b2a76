/** `sealwire-load soak`: the load of a chat for hours, and how the server's memory grows. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { LoadError } from '../errors.ts';
import { runOne } from './run-one.ts';
import { type RunOptions, withRunOptions } from './run-options.ts';
import { count, withTalkOptions } from './talk-options.ts';

export function soakCommand(context: Context): Command {
  const command = new Command('soak')
    .description('a chat for hours; with --metrics also how the memory of the server grows')
    .addOption(count('--pairs <n>', 'of people', 10));
  withTalkOptions(command);
  return withRunOptions(command, context.surroundings, '1h').action((url: string, options: RunOptions) => {
    const grows = options.failIf.some(({ text }) => text.includes('memory-growth'));
    if (grows && options.metrics === undefined)
      throw new LoadError('usage', '--fail-if memory-growth: name the metrics of the server, --metrics URL');
    return runOne(context, 'chat', url, options, 'soak');
  });
}

/** `sealwire-load group`: each message goes to all other members, in one frame. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { runOne } from './run-one.ts';
import { withRunOptions } from './run-options.ts';
import { count, withTalkOptions } from './talk-options.ts';

export function groupCommand(context: Context): Command {
  const command = new Command('group')
    .description('groups, in which each message goes to all other members')
    .addOption(count('--groups <n>', 'how many', 1))
    .addOption(count('--members <n>', 'of each, 2 to 1000', 10));
  withTalkOptions(command);
  return withRunOptions(command, context.surroundings, '10s').action((url: string, options) =>
    runOne(context, 'group', url, options),
  );
}

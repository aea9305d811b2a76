/** `sealwire-load storm`: sockets that break all at once, and come back; beside them people may write. */
import { Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { ACTIVITIES } from '../plan.ts';
import { parseCount, parseDuration } from '../quantities.ts';
import { performRun } from './perform-run.ts';
import { activityOf } from './run-one.ts';
import { type RunOptions, reading, withRunOptions } from './run-options.ts';
import { count, rate } from './talk-options.ts';

export function stormCommand(context: Context): Command {
  const command = new Command('storm')
    .description('sockets that break all at once and come back')
    .addOption(count('--devices <n>', 'sockets, ten of an account', 100))
    .addOption(
      new Option('--every <time>', 'from one storm to the next')
        .argParser(reading(parseDuration))
        .default(10_000, '10s'),
    )
    .addOption(new Option('--pairs <n>', 'of people who write meanwhile').argParser(reading(parseCount)))
    .addOption(rate('messages a second of theirs, all together', 10));
  return withRunOptions(command, context.surroundings, '10s').action(
    (url: string, options: RunOptions & { readonly pairs?: number; readonly rate: number }) => {
      const storm = activityOf('storm', options);
      const { pairs, rate } = options;
      const chat = pairs === undefined ? [] : [{ kind: 'chat' as const, ...ACTIVITIES.chat.parse({ pairs, rate }) }];
      const phases = [{ name: 'storm', durationMs: options.duration, activities: [storm, ...chat] }];
      return performRun(context, url, { command: 'storm', phases, main: 'back', options });
    },
  );
}

/** `sealwire-load connect`: sockets that do nothing but stay. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { runOne } from './run-one.ts';
import { withRunOptions } from './run-options.ts';
import { count } from './talk-options.ts';

export function connectCommand(context: Context): Command {
  const command = new Command('connect')
    .description('sockets that do nothing but stay')
    .addOption(count('--devices <n>', 'sockets, ten of an account', 100));
  return withRunOptions(command, context.surroundings, '10s').action((url: string, options) =>
    runOne(context, 'connect', url, options),
  );
}

/** `sealwire-load keys`: devices publish keys, and take each other's bundles. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { runOne } from './run-one.ts';
import { withRunOptions } from './run-options.ts';
import { count, rate } from './talk-options.ts';

export function keysCommand(context: Context): Command {
  const command = new Command('keys')
    .description('registrations and bundles of the key directory')
    .addOption(count('--devices <n>', 'accounts of one device, 2 at least', 10))
    .addOption(rate('bundles a second', 10));
  return withRunOptions(command, context.surroundings, '10s').action((url: string, options) =>
    runOne(context, 'keys', url, options),
  );
}

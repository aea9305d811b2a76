/** `sealwire-load files`: uploads that are read back, compared and deleted. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { runOne } from './run-one.ts';
import { withRunOptions } from './run-options.ts';
import { count, rate, size } from './talk-options.ts';

export function filesCommand(context: Context): Command {
  const command = new Command('files')
    .description('files that are uploaded, read back, compared and deleted')
    .addOption(count('--devices <n>', 'accounts that upload', 2))
    .addOption(rate('files a second', 1))
    .addOption(size('of a file', '64KiB'));
  return withRunOptions(command, context.surroundings, '10s').action((url: string, options) =>
    runOne(context, 'files', url, options),
  );
}

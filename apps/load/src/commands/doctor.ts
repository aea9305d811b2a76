/** `sealwire-load doctor`: whether this machine can make the load. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { findings } from '../doctor/checks.ts';
import { readMachine } from '../doctor/machine.ts';
import { count } from './talk-options.ts';

export function doctorCommand({ surroundings, end }: Context): Command {
  const { stdout, cores } = surroundings;
  return new Command('doctor')
    .description('whether this machine can hold so many connections, with the command that mends what is in the way')
    .addOption(count('--connections <n>', 'to one server, of this machine', 10_000))
    .option('--json', 'as JSON')
    .action(({ connections, json }: { readonly connections: number; readonly json?: boolean }) => {
      const found = findings(readMachine(cores), connections);
      if (json) stdout.write(`${JSON.stringify(found)}\n`);
      else
        for (const { isGood, about, mend } of found)
          stdout.write(`${isGood ? 'good' : 'BAD '} ${about}${isGood || mend === undefined ? '' : `\n     ${mend}`}\n`);
      if (found.some(({ isGood }) => !isGood)) end('failure');
    });
}

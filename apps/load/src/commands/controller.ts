/** `sealwire-load controller`: any command that makes load, by the workers of several machines. */
import { Command, Option } from 'commander';
import { Agents } from '../agents/across.ts';
import type { Context } from '../context.ts';
import { type Ending, EXIT_CODES, LoadError } from '../errors.ts';
import { parseCount } from '../quantities.ts';
import { hostAndPort, secretIn, secretOption } from './agent-options.ts';
import { reading } from './run-options.ts';

interface ControllerOptions {
  readonly agent: readonly string[];
  readonly secretFile: string;
  readonly workersPerAgent: number;
  readonly divided?: boolean;
}

/** What makes load. */
const COMMANDS = ['chat', 'group', 'connect', 'storm', 'soak', 'keys', 'files', 'scenario'];

export function controllerCommand({ surroundings, run, end }: Context): Command {
  return new Command('controller')
    .description('a command that makes load, by the agents of several machines at once')
    .argument('<command...>', `after "--": ${COMMANDS.join(', ')}, with its options`)
    .addOption(
      new Option('--agent <host:port>', 'where an agent listens; may be repeated')
        .argParser((text: string, before: readonly string[] | undefined) => {
          hostAndPort(text);
          return [...(before ?? []), text];
        })
        .makeOptionMandatory(),
    )
    .addOption(secretOption())
    .addOption(
      new Option('--workers-per-agent <n>', 'processes that make the load, on each machine')
        .argParser(reading(parseCount))
        .default(1),
    )
    .option(
      '--divided',
      'members of a conversation are at different agents: what is sent on one machine arrives on another',
    )
    .addHelpText(
      'after',
      '\nExample:\n  sealwire-load controller --agent 10.0.0.5:7300 --agent 10.0.0.6:7300 --secret-file agents.secret -- chat https://chat.example.org --pairs 100 --rate 500\n',
    )
    .action(async (argv: readonly string[], options: ControllerOptions) => {
      if (!COMMANDS.includes(argv[0] ?? ''))
        throw new LoadError('usage', `"${argv[0]}" makes no load: one of ${COMMANDS.join(', ')} after "--"`);
      const { agent: addresses, secretFile, workersPerAgent, divided = false } = options;
      const agents = await Agents.connect(addresses, { ...surroundings, secret: secretIn(secretFile), divided });
      try {
        const code = await run({
          ...surroundings,
          argv,
          cores: addresses.length * workersPerAgent,
          openHand: (isForked, say, index) => agents.openHand(isForked, say, index),
          across: agents,
        });
        end(endingOf(code));
      } finally {
        agents.close();
      }
    });
}

function endingOf(code: number): Ending {
  return (Object.keys(EXIT_CODES) as Ending[]).find((ending) => EXIT_CODES[ending].code === code) ?? 'failure';
}

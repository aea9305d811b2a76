/** The options of commands that write messages. */
import { type Command, Option } from 'commander';
import { CRYPTO_MODES } from '../plan.ts';
import { parseBytes, parseCount, parsePause, parseRate } from '../quantities.ts';
import { reading } from './run-options.ts';

export function count(flags: string, about: string, otherwise: number): Option {
  return new Option(flags, about).argParser(reading(parseCount)).default(otherwise);
}

export function rate(about: string, otherwise?: number): Option {
  return new Option('--rate <n>', about).argParser(reading(parseRate)).default(otherwise);
}

export function size(about: string, otherwise: string): Option {
  return new Option('--size <bytes>', about).argParser(reading(parseBytes)).default(parseBytes(otherwise), otherwise);
}

export function withTalkOptions(command: Command): void {
  command
    .addOption(
      rate(
        'messages a second of all together (open model); without: a message in flight in each conversation (closed model)',
      ),
    )
    .addOption(
      new Option('--in-flight <n>', 'closed model: messages under way in each conversation')
        .argParser(reading(parseCount))
        .conflicts('rate'),
    )
    .addOption(
      new Option('--think <time>', 'closed model: pause before the next message, like 500ms or 1s..5s')
        .argParser(reading(parsePause))
        .conflicts('rate'),
    )
    .addOption(size('of a message, what is asked for at least 32', '256'))
    .addOption(
      new Option(
        '--crypto <mode>',
        'full: the SDK with LIME; cached: of the size of LIME, made once; none: bare frames',
      )
        .choices(CRYPTO_MODES)
        .default('cached'),
    );
}

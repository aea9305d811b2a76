/** The options that every command has which makes load. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { urlIn } from '@sealwire/wire/url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LoadError } from '../errors.ts';
import { parseThreshold, type Threshold } from '../measuring/thresholds.ts';
import { parseCount, parseDuration, parseRate } from '../quantities.ts';
import type { Surroundings } from '../surroundings.ts';

export interface RunOptions {
  readonly duration: number;
  readonly workers: number;
  readonly seed: number;
  readonly identities: string;
  readonly invitationFile?: string;
  readonly connectRate: number;
  readonly from: readonly string[];
  readonly patience: number;
  readonly failIf: readonly Threshold[];
  readonly metrics?: string;
  readonly json?: boolean;
  readonly out?: string;
  readonly html?: string;
}

/** A parser of ours as commander wants it: what it throws becomes commander's line, which names the option. */
export function reading<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

const collecting =
  <Value>(parse: (text: string) => Value) =>
  (text: string, before: readonly Value[]): readonly Value[] => [...before, reading(parse)(text)];

/** `duration`: the default; undefined: the command has none of its own. */
export function withRunOptions(command: Command, { cores, home, env }: Surroundings, duration?: string): Command {
  const data = env.XDG_DATA_HOME || join(home, '.local/share');
  command.argument('<url>', 'the deployment, like https://chat.example.org');
  if (duration !== undefined)
    command.addOption(
      new Option('--duration <time>', 'how long')
        .argParser(reading(parseDuration))
        .default(parseDuration(duration), duration),
    );
  return command
    .addOption(
      new Option('--fail-if <condition>', 'exit code 4 when it is so, like "p99>200ms"; may be repeated')
        .argParser(collecting(parseThreshold))
        .default([], 'none'),
    )
    .option('--json', 'the report as JSON on stdout, instead of a table')
    .option('--out <file>', 'the report as JSON into a file')
    .option('--html <file>', 'the report as one HTML file with plots')
    .addOption(
      new Option('--workers <n>', 'processes that make the load; 1: this one alone')
        .argParser(reading(parseCount))
        .default(cores, 'one a core'),
    )
    .addOption(
      new Option('--connect-rate <n>', 'sockets that are opened a second').argParser(reading(parseRate)).default(500),
    )
    .addOption(
      new Option('--from <address>', 'address of this machine that sockets come from; may be repeated: they take turns')
        .argParser(collecting((text) => text))
        .default([], 'the system chooses'),
    )
    .addOption(new Option('--identities <dir>', 'where test accounts are kept').default(join(data, 'sealwire-load')))
    .option('--invitation-file <file>', 'invitation codes for test accounts, one a line')
    .option('--metrics <url>', "the server's metrics, to watch its memory, like http://127.0.0.1:9100/metrics")
    .addOption(
      new Option('--patience <time>', 'what has not arrived so long after the end is lost')
        .argParser(reading(parseDuration))
        .default(30_000, '30s'),
    )
    .addOption(new Option('--seed <n>', 'of what is left to chance').argParser(reading(parseCount)).default(1));
}

/** The origin of a deployment. Throws `LoadError`. */
export function originIn(text: string): string {
  const url = urlIn(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new LoadError('usage', `not an address: "${text}"; write it like https://chat.example.org`);
  return url.origin;
}

/** Throws `LoadError`. */
export function invitationsIn(path: string | undefined): string[] {
  if (path === undefined) return [];
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LoadError('usage', `--invitation-file: ${path} cannot be read (${code})`, { cause });
  }
  const codes = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  if (codes.length === 0) throw new LoadError('usage', `--invitation-file: ${path} has no codes: one a line`);
  return codes;
}

/** Runs one command of `sealwire-admin`: finds the server, orders, shows the answer. Mistakes and refusals are one line with the fix. */
import { parseArgs } from 'node:util';
import { AdminRefusal } from '@sealwire/service/admin-socket';
import { ConfigError, type ConfigSources, loadConfig } from '@sealwire/service/config';
import { type AdminWord, COMMANDS, usage, type Values } from './commands.ts';
import { adminSettings, order, Unreached } from './reach.ts';

export interface Output {
  /** Data. */
  out(text: string): void;
  /** Chatter. */
  err(text: string): void;
}

/** As those of the command line for users: docs/cli.md. */
const EXIT = { ok: 0, failure: 1, usage: 2, offline: 3, authentication: 4 } as const;
const EXIT_BY_CODE: Readonly<Record<string, number>> = {
  'bad-request': EXIT.usage,
  unauthorized: EXIT.authentication,
  forbidden: EXIT.authentication,
  unavailable: EXIT.offline,
};
/** Settings that may stand among the words as flags. */
const SETTING_FLAGS = ['data-dir', 'store-url', 'bus-url', 'admin-socket', 'admin-url', 'domain', 'config'] as const;

/** Resolves with the exit code. */
export async function administer(sources: ConfigSources, now: () => number, { out, err }: Output): Promise<number> {
  try {
    const { argv } = sources;
    if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h') {
      out(usage());
      return EXIT.ok;
    }
    const { command, rest } = commandIn(argv);
    const { words, values } = wordsOf(command, rest);
    if (values.help) {
      out(usage());
      return EXIT.ok;
    }
    const flags = SETTING_FLAGS.flatMap((flag) =>
      values[flag] === undefined ? [] : [`--${flag}`, String(values[flag])],
    );
    const loaded = loadConfig(adminSettings, { ...sources, argv: flags });
    if (loaded.action === 'show') throw new ConfigError('arguments', 'show nothing', 'see --help');
    const body = command.body?.(words, values) ?? {};
    const answer = await order(loaded.settings, command.path, body, now);
    const shown = values.json ? JSON.stringify(answer) : command.show(answer);
    if (shown !== undefined && shown !== '') out(`${shown}\n`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof AdminRefusal) {
      err(`sealwire-admin: ${error.reason}\n`);
      return EXIT_BY_CODE[error.code] ?? EXIT.failure;
    }
    if (!(error instanceof ConfigError)) throw error;
    err(`sealwire-admin: ${error.message}\n`);
    return error instanceof Unreached ? EXIT.offline : EXIT.usage;
  }
}

function commandIn([first = '', second = '', ...more]: readonly string[]): {
  command: AdminWord;
  rest: readonly string[];
} {
  const two = `${first} ${second}`;
  if (Object.hasOwn(COMMANDS, two)) return { command: COMMANDS[two]!, rest: more };
  if (Object.hasOwn(COMMANDS, first))
    return { command: COMMANDS[first]!, rest: second === '' ? more : [second, ...more] };
  const nouns = [...new Set(Object.keys(COMMANDS).map((name) => name.split(' ')[0]))];
  const verbs = Object.keys(COMMANDS).filter((name) => name.startsWith(`${first} `));
  const fix = verbs.length > 0 ? `use one of ${verbs.join(', ')}` : `use one of ${nouns.join(', ')}; see --help`;
  throw new ConfigError(verbs.length > 0 ? two.trim() : first, 'there is no such command', fix);
}

function wordsOf({ words: demanded = [], options = {} }: AdminWord, args: readonly string[]) {
  const flags = Object.fromEntries(SETTING_FLAGS.map((flag) => [flag, { type: 'string' as const }]));
  const all = { ...options, ...flags, json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  let parsed: { values: Values; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: all }) as typeof parsed;
  } catch (error) {
    throw new ConfigError('arguments', (error as Error).message.split('. ')[0] ?? '', 'see --help');
  }
  const { values, positionals: words } = parsed;
  if (words.length !== demanded.length && !values.help)
    throw new ConfigError(
      'arguments',
      `${demanded.length} words are wanted, ${words.length} are there`,
      `write ${demanded.join(' ') || 'none'}`,
    );
  return { words, values };
}

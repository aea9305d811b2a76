/**
 * Configuration: one zod schema a server. From it come the parser, `--help` and `--print-config`, and the
 * documents (`testing/settings-text.ts`).
 * Precedence: flags > environment > `*_FILE` (secrets, URLs) > config file (TOML) > default. The only file that reads `process.env`.
 *
 * A setting `STORE_URL` is the flag `--store-url`, the environment variable `STORE_URL` and the key `store_url` of the file.
 * Secrets have no flag (a process list shows flags) but `TOKEN_KEY_FILE` beside `TOKEN_KEY`; a URL that may hold a password has both.
 */
import { readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { nearest } from './did-you-mean.ts';

/** A user's mistake in the configuration: one line that names the key, the problem and the fix. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 2;
  constructor(
    readonly key: string,
    problem: string,
    /** Not given: `problem` says it. */
    fix?: string,
  ) {
    super(fix === undefined ? `${key}: ${problem}` : `${key}: ${problem} — ${fix}`);
  }
}

export interface About {
  /** One sentence for the docs table. */
  readonly about: string;
  /** As a user would write it. Without it (and without `.optional()`) the setting is demanded. */
  readonly default?: string;
  /** Shown as `(secret)`, taken from `KEY_FILE` too, and refused as a flag. */
  readonly secret?: boolean;
  /** Taken from `KEY_FILE` too, without being a secret: a URL in which a password may stand. */
  readonly alsoFile?: boolean;
  /** For `.env.example` and for error messages. */
  readonly example?: string;
  /** Of a `HOST:PORT`: the environment variable that gives the default another port. */
  readonly portFrom?: string;
}

/** What else than settings may stand on the command line. */
export interface Words {
  /** What `--version` shows; undefined: there is no such flag. */
  readonly version?: string;
  /** What the first word may be; for `--help`, and for a word that is none of them. */
  readonly commands?: readonly string[];
  /** The names of the words that are demanded, such as a folder. */
  readonly demanded?: readonly string[];
}

export type Settings = z.ZodObject;

/** Where values come from; tests give their own. */
export interface ConfigSources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. */
  readFile(path: string): string;
}

export type LoadedConfig<S extends Settings> =
  | {
      readonly action: 'run';
      readonly settings: z.output<S>;
      readonly warnings: readonly string[];
      /** One each for `Words.demanded`. */
      readonly words: readonly string[];
    }
  | { readonly action: 'show'; readonly text: string };

type Source = 'flag' | 'environment' | 'secret file' | 'config file' | 'default' | 'unset';

/** Attaches the documentation and the default to a schema that parses text (and, from a TOML file, numbers, booleans and lists). */
export function setting<S extends z.ZodType>(schema: S, about: About): S {
  const complete = about.default === undefined ? schema : schema.prefault(about.default as never);
  return complete.meta({ ...about }) as unknown as S;
}

/** What `setting` was told of it. */
export function aboutOf(schema: z.ZodType): About {
  return schema.meta() as unknown as About;
}

/** Whether `KEY_FILE` may name a file that holds the value. */
export function isReadFromFile({ secret, alsoFile }: About): boolean {
  return secret === true || alsoFile === true;
}

export function processSources(): ConfigSources {
  return { argv: process.argv.slice(2), env: process.env, readFile: (path) => readFileSync(path, 'utf8') };
}

/**
 * Reads all sources. `--print-config`, `--help` and `--version` yield a text to show instead of settings.
 * Throws `ConfigError` for the first setting that is missing or malformed, an unknown flag or word, or an unreadable file.
 */
export function loadConfig<S extends Settings>(
  schema: S,
  sources: ConfigSources = processSources(),
  words: Words = {},
): LoadedConfig<S> {
  const keys = Object.keys(schema.shape);
  const flags = parseFlags(schema, sources.argv, words);
  if (flags.version) return { action: 'show', text: `${words.version}\n` };
  if (flags.help) return { action: 'show', text: helpText(schema, words) };
  const filePath = flags.config ?? sources.env.SEALWIRE_CONFIG;
  const file = filePath ? readConfigFile(filePath, sources) : {};
  const warnings = [...unknownInFile(keys, file, filePath ?? ''), ...unknownInEnvironment(schema, sources.env)];

  const settings: Record<string, unknown> = {};
  const shown: string[] = [];
  for (const key of keys) {
    const field = schema.shape[key] as z.ZodType;
    const { source, raw } = pick(key, field, flags.values, sources, file);
    settings[key] = parseSetting(key, field, raw);
    const { secret = false, default: fallback = '' } = aboutOf(field);
    const text = source === 'default' ? fallback : raw === undefined ? '' : String(raw);
    shown.push(`${key}=${secret && text !== '' ? '(secret)' : redactUrl(text)}  # ${source}`);
  }
  if (flags.print) return { action: 'show', text: `${[...shown, ...warnings.map((w) => `# ${w}`)].join('\n')}\n` };
  return { action: 'run', settings: settings as z.output<S>, warnings, words: flags.words };
}

/** A connection string without its password, for `--print-config` and error messages. */
function redactUrl(text: string): string {
  return text.replace(/:\/\/[^/@\s]+@/g, '://***@');
}

interface Flags {
  readonly values: Readonly<Record<string, string>>;
  readonly config?: string;
  readonly words: readonly string[];
  readonly print: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

function parseFlags(schema: Settings, argv: readonly string[], { version, commands, demanded = [] }: Words): Flags {
  const values: Record<string, string> = {};
  const known = new Map(Object.keys(schema.shape).map((key) => [flagOf(key), key]));
  const words: string[] = [];
  let config: string | undefined;
  let print = false;
  let help = false;
  let showsVersion = false;
  for (let i = 0; i < argv.length; i++) {
    const [flag = '', inline] = splitOnce(argv[i] ?? '');
    if (flag === '--print-config') print = true;
    else if (flag === '--help' || flag === '-h') help = true;
    else if (flag === '--version' && version !== undefined) showsVersion = true;
    else if (!flag.startsWith('-')) {
      if (words.length === demanded.length) throw unknownWord(argv[i] ?? '', commands);
      words.push(argv[i] ?? '');
    } else {
      const key = known.get(flag);
      if (!key && flag !== '--config') {
        const close = nearest(flag, [...known.keys(), '--config', '--print-config', '--help', '--version']);
        throw new ConfigError(flag, 'there is no such flag', close ? `did you mean ${close}?` : 'see --help');
      }
      if (key && aboutOf(schema.shape[key] as z.ZodType).secret)
        throw new ConfigError(flag, 'a secret does not travel in a flag', `set ${key}_FILE to a file that holds it`);
      const value = inline ?? argv[++i];
      if (value === undefined) throw new ConfigError(flag, 'has no value', `write ${flag} VALUE`);
      if (key) values[key] = value;
      else config = value;
    }
  }
  const missing = demanded[words.length];
  if (missing !== undefined && !help && !print)
    throw new ConfigError(missing, 'is missing', `write ${demanded.join(' ')}`);
  return { values, words, print, help, version: showsVersion, ...(config === undefined ? {} : { config }) };
}

function unknownWord(word: string, commands: readonly string[] = []): ConfigError {
  const close = nearest(word, commands);
  if (close) return new ConfigError(word, 'there is no such command', `did you mean ${close}?`);
  const possible = commands.length > 0 ? `the commands are ${commands.join(', ')}; ` : '';
  return new ConfigError(word, 'there is no such command', `${possible}see --help`);
}

function splitOnce(argument: string): [string, string?] {
  const at = argument.indexOf('=');
  return at < 0 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function flagOf(key: string): string {
  return `--${key.toLowerCase().replaceAll('_', '-')}`;
}

function readConfigFile(path: string, sources: ConfigSources): Record<string, unknown> {
  let text: string;
  try {
    text = sources.readFile(path);
  } catch {
    throw new ConfigError('--config', `${path} cannot be read`, 'check the path and its permissions');
  }
  try {
    return parseToml(text) as Record<string, unknown>;
  } catch (error) {
    const [line = ''] = (error as Error).message.split('\n');
    throw new ConfigError('--config', `${path} is not TOML (${line})`, 'write lines like store_url = "lmdb:./data"');
  }
}

function pick(
  key: string,
  field: z.ZodType,
  flags: Readonly<Record<string, string>>,
  sources: ConfigSources,
  file: Readonly<Record<string, unknown>>,
): { source: Source; raw: unknown } {
  const about = aboutOf(field);
  if (flags[key] !== undefined) return { source: 'flag', raw: flags[key] };
  // Compose files write `KEY=` for "not set".
  if (sources.env[key]) return { source: 'environment', raw: sources.env[key] };
  const secretFile = isReadFromFile(about) ? sources.env[`${key}_FILE`] : undefined;
  if (secretFile) {
    try {
      return { source: 'secret file', raw: sources.readFile(secretFile).trim() };
    } catch {
      throw new ConfigError(`${key}_FILE`, `${secretFile} cannot be read`, 'check the path and its permissions');
    }
  }
  const fromFile = file[key.toLowerCase()];
  if (fromFile !== undefined) return { source: 'config file', raw: fromFile };
  const port = about.portFrom && sources.env[about.portFrom];
  if (port) return { source: 'environment', raw: about.default?.replace(/\d+$/, portIn(about.portFrom, port)) };
  return { source: about.default === undefined ? 'unset' : 'default', raw: undefined };
}

function portIn(variable: string, text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text;
  throw new ConfigError(variable, `"${text}": not a port`, `for example ${variable}=8081`);
}

function parseSetting(key: string, field: z.ZodType, raw: unknown): unknown {
  const result = field.safeParse(raw);
  if (result.success) return result.data;
  const { example, secret = false } = aboutOf(field);
  const name = secret ? `${key} (or ${key}_FILE)` : key;
  const fix = example ? `for example ${secret ? `${key}_FILE` : key}=${example}` : `see the table of settings`;
  if (raw === undefined) throw new ConfigError(name, 'is not set', fix);
  const value = secret ? 'the value' : `"${redactUrl(String(raw))}"`;
  throw new ConfigError(name, `${value}: ${result.error.issues[0]?.message ?? 'not valid'}`, fix);
}

function unknownInFile(keys: readonly string[], file: Readonly<Record<string, unknown>>, path: string): string[] {
  const known = keys.map((key) => key.toLowerCase());
  return Object.keys(file)
    .filter((key) => !known.includes(key))
    .map((key) => suggest(`${path}: there is no setting ${key}`, nearest(key, known)));
}

/** No settings: where the config file is, what the command line reads (docs/cli.md), and what others read. */
const OTHER_VARIABLES = [
  'SEALWIRE_CONFIG',
  'SEALWIRE_SERVER',
  'SEALWIRE_USER',
  'SEALWIRE_PASSPHRASE_FILE',
  'SEALWIRE_INVITATION',
  // OpenSSL's and Node's: a letter or two from ours.
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** The environment holds much that is not ours: only our prefix and near misses of our own names are worth a warning. */
function unknownInEnvironment(schema: Settings, env: ConfigSources['env']): string[] {
  const known = Object.entries(schema.shape).flatMap(([key, field]) =>
    isReadFromFile(aboutOf(field as z.ZodType)) ? [key, `${key}_FILE`] : [key],
  );
  const warnings: string[] = [];
  for (const name of Object.keys(env)) {
    if (known.includes(name) || OTHER_VARIABLES.includes(name)) continue;
    const close = nearest(name.replace(/^SEALWIRE_/, ''), known);
    if (name.startsWith('SEALWIRE_') || close) warnings.push(suggest(`there is no setting ${name}`, close));
  }
  return warnings;
}

function suggest(problem: string, close: string | undefined): string {
  return close ? `${problem}: did you mean ${close}?` : problem;
}

function helpText(schema: Settings, { version, commands = [] }: Words): string {
  const rows = Object.entries(schema.shape).map(([key, field]) => {
    const about = aboutOf(field as z.ZodType);
    const name = about.secret ? `${key}_FILE (environment)` : `${flagOf(key)} VALUE`;
    return `  ${name}\n      ${about.about}${about.default ? ` [${about.default}]` : ''}`;
  });
  return [
    'Settings: a flag, else the environment variable of the same name in capitals, else the config file.',
    '',
    ...rows,
    '  --config FILE\n      TOML file with the same settings in small letters',
    '  --print-config\n      show the values in effect, secrets redacted, and end',
    ...(version === undefined ? [] : ['  --version\n      show the version, and end']),
    ...(commands.length === 0 ? [] : ['', `Commands, before the settings: ${commands.join(', ')}. Each has --help.`]),
    '',
  ].join('\n');
}

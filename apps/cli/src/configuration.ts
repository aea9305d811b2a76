/** The few settings of the command line. Precedence: flag > environment > config file (TOML) > default. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { typedName } from '@sealwire/wire/ids';
import { canonicalServer } from '@sealwire/wire/server-address';
import { WireError } from '@sealwire/wire/wire-error';
import { parse as parseToml, stringify as stringifyToml } from 'smol-toml';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';
import { foldersOf } from './folders.ts';
import type { Surroundings } from './surroundings.ts';

interface Setting {
  readonly about: string;
  readonly variable: string;
  readonly fallback?: string;
  readonly schema: z.ZodType<string>;
}

export const SETTINGS = {
  server: {
    about: 'where to register: an address like https://chat.example.org',
    variable: 'SEALWIRE_SERVER',
    fallback: 'http://localhost:8080',
    schema: z.string().transform((text, context) => {
      const server = canonicalServer(text);
      if (server !== undefined) return server;
      context.issues.push({
        code: 'custom',
        message: 'not a server address like https://chat.example.org',
        input: text,
      });
      return z.NEVER;
    }),
  },
  user: {
    about: 'the profile to use without -u',
    variable: 'SEALWIRE_USER',
    schema: z.string().transform(userIn),
  },
  passphrase_file: {
    about: 'file whose first line is the passphrase of the keys',
    variable: 'SEALWIRE_PASSPHRASE_FILE',
    schema: z.string().min(1, 'not a file name'),
  },
  device_authority: {
    about: 'the public key by which the operator certifies accounts: nothing is sent to others',
    variable: 'SEALWIRE_DEVICE_AUTHORITY',
    schema: z.string().regex(/^[\w-]{43}$/, 'not a public key as `sealwire-server certify --new-ca` prints it'),
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
export type Source = 'flag' | 'environment' | 'config file' | 'default' | 'not set';

export interface Configuration {
  readonly file: string;
  readonly values: Readonly<Record<SettingName, { readonly value: string | undefined; readonly source: Source }>>;
  readonly warnings: readonly string[];
}

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** Throws `CliError` (`usage`) for a file that is not TOML, a value of the wrong form, or a file named by `-c` that is not there. */
export function loadConfiguration(
  { env, home }: Pick<Surroundings, 'env' | 'home'>,
  flags: Partial<Record<SettingName, string>> & { readonly config?: string },
): Configuration {
  const file = flags.config ?? foldersOf({ env, home }).configFile;
  const fromFile = readFile(file, flags.config !== undefined);
  const warnings = Object.keys(fromFile)
    .filter((key) => !(key in SETTINGS))
    .map((key) => `${file}: there is no setting "${key}" (there are: ${SETTING_NAMES.join(', ')})`);
  const values = {} as Record<SettingName, { value: string | undefined; source: Source }>;
  for (const name of SETTING_NAMES) {
    const setting: Setting = SETTINGS[name];
    const [raw, source, where] = pick(name, setting, flags[name], env[setting.variable], fromFile[name], file);
    values[name] = { value: raw === undefined ? undefined : checkSetting(name, raw, where), source };
  }
  return { file, values, warnings };
}

/** Throws `CliError` (`usage`) that names the place and the form that is wanted. */
function checkSetting(name: SettingName, value: unknown, where: string): string {
  const result = SETTINGS[name].schema.safeParse(value);
  if (result.success) return result.data;
  throw new CliError('usage', `${where}: "${String(value)}" is ${result.error.issues[0]?.message ?? 'not valid'}`);
}

/** Writes one setting and keeps the others; comments in the file are lost, and the reader is told so in docs/cli.md. */
export function writeSetting(file: string, name: SettingName, value: string): void {
  const content = { ...readFile(file, false), [name]: checkSetting(name, value, name) };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.new`;
  writeFileSync(draft, stringifyToml(content), { mode: 0o600 });
  renameSync(draft, file);
}

function pick(
  name: SettingName,
  setting: Setting,
  flag: string | undefined,
  variable: string | undefined,
  entry: unknown,
  file: string,
): [raw: unknown, source: Source, where: string] {
  if (flag !== undefined) return [flag, 'flag', `--${name.replace('_', '-')}`];
  if (variable) return [variable, 'environment', setting.variable];
  if (entry !== undefined) return [entry, 'config file', `${file}: ${name}`];
  return setting.fallback === undefined ? [undefined, 'not set', ''] : [setting.fallback, 'default', 'default'];
}

function readFile(file: string, mustExist: boolean): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return {};
    throw new CliError('usage', `${file} cannot be read (${code}): check the path and its permissions`);
  }
  try {
    return parseToml(text) as Record<string, unknown>;
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('\n');
    throw new CliError(
      'usage',
      `${file} is not TOML (${problem}): write lines like server = "https://chat.example.org"`,
    );
  }
}

function userIn(text: string, context: z.RefinementCtx): string {
  try {
    return typedName(text);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    context.addIssue('not a user name like alice');
    return z.NEVER;
  }
}

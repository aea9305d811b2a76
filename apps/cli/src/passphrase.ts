/**
 * Where a passphrase comes from: a descriptor, a file, or a prompt. Never an argument or an environment variable's value: process
 * lists and shell histories show those (case L10).
 */
import { readFileSync, statSync } from 'node:fs';
import { CliError } from './exit-codes.ts';
import type { Output } from './output.ts';
import { ask } from './prompt.ts';
import type { Surroundings } from './surroundings.ts';

/** Reason: argon2id makes a guess expensive, not a guess among a million cheap words impossible. */
const SHORTEST_PASSPHRASE = 8;

export interface PassphraseSource {
  readonly fd: string | undefined;
  readonly file: string | undefined;
}

/** The passphrase of existing keys. Throws `CliError` (`usage`). */
export async function readPassphrase(
  source: PassphraseSource,
  user: string,
  surroundings: Surroundings,
  output: Output,
): Promise<string> {
  return (await readElsewhere(source, output)) ?? (await askHidden(`Passphrase for ${user}: `, surroundings));
}

/** The passphrase of keys that are about to be made: typed twice when it is typed. Throws `CliError` (`usage`). */
export async function readNewPassphrase(
  source: PassphraseSource,
  user: string,
  surroundings: Surroundings,
  output: Output,
): Promise<string> {
  const given = await readElsewhere(source, output);
  const passphrase = given ?? (await askHidden(`New passphrase for the keys of ${user}: `, surroundings));
  if ([...passphrase].length < SHORTEST_PASSPHRASE)
    throw new CliError(
      'usage',
      `a passphrase has at least ${SHORTEST_PASSPHRASE} characters (or none at all, with --no-passphrase)`,
    );
  if (given === undefined && (await askHidden('Once more: ', surroundings)) !== passphrase)
    throw new CliError('usage', 'the two passphrases differ: nothing was made');
  return passphrase;
}

/** The passphrase of a file that is carried away, from a file or typed: twice for a new one. Throws `CliError` (`usage`). */
export async function readFilePassphrase(
  from: string | undefined,
  path: string,
  isNew: boolean,
  surroundings: Surroundings,
  output: Output,
): Promise<string> {
  const otherwise = 'there is no terminal to ask for the passphrase of the file: give --file-passphrase-file FILE';
  const typed = (question: string) => ask(question, surroundings, { echo: false, otherwise });
  const given = await readElsewhere({ fd: undefined, file: from }, output);
  const passphrase = given ?? (await typed(`${isNew ? 'New passphrase' : 'Passphrase'} for ${path}: `));
  if (isNew && [...passphrase].length < SHORTEST_PASSPHRASE)
    throw new CliError('usage', `a passphrase has at least ${SHORTEST_PASSPHRASE} characters`);
  if (isNew && given === undefined && (await typed('Once more: ')) !== passphrase)
    throw new CliError('usage', 'the two passphrases differ: nothing was written');
  return passphrase;
}

async function readElsewhere({ fd, file }: PassphraseSource, output: Output): Promise<string | undefined> {
  if (fd !== undefined) return firstLine(readDescriptor(fd));
  if (file === undefined) return undefined;
  let bytes: Uint8Array;
  try {
    const status = statSync(file);
    if (process.platform !== 'win32' && status.isFile() && (status.mode & 0o077) !== 0)
      output.warn(
        `${file} is readable by other users of this machine: run chmod 600 ${file}, or keep it where that has an effect`,
      );
    bytes = readFileSync(file);
  } catch (error) {
    throw new CliError(
      'usage',
      `the passphrase file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  return firstLine(bytes);
}

function readDescriptor(text: string): Uint8Array {
  const fd = Number(text);
  if (!/^\d+$/.test(text) || fd < 3)
    throw new CliError('usage', '--passphrase-fd takes the number of an open descriptor from 3 up: 3< file');
  try {
    return readFileSync(fd);
  } catch (error) {
    throw new CliError('usage', `descriptor ${fd} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Without a byte order mark, which some editors put in front and nobody types. */
function firstLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).split(/\r?\n/, 1)[0] as string;
}

function askHidden(question: string, surroundings: Surroundings): Promise<string> {
  const otherwise =
    'there is no terminal to ask for the passphrase: give --passphrase-file FILE, --passphrase-fd N or SEALWIRE_PASSPHRASE_FILE';
  return ask(question, surroundings, { echo: false, otherwise });
}

/** Options that many commands share. They stand after the command: `sealwire send -u alice -t bob`. */
import { Command } from 'commander';

export interface CommonOptions {
  readonly json?: boolean;
  readonly config?: string;
}

export interface AccountOptions extends CommonOptions {
  readonly user?: string;
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
  readonly deviceAuthority?: string;
  readonly verbose?: boolean;
}

/** Ids are base64url, of 16 bytes or more: one in 64 begins with a dash. No option has capitals or digits, or so long a name behind one dash. */
const DASHED_ID = /^-(?!-[a-z-]+$)[\w-]{21,}$/;
/** In front of such an id while commander looks for options; nothing that is typed begins with it. */
const SHIELD = '\0';

/** A command of ours: an id that begins like an option is an id wherever an argument may stand. */
export class SealwireCommand extends Command {
  override createCommand(name?: string): SealwireCommand {
    return new SealwireCommand(name);
  }

  override parseOptions(argv: string[]): ReturnType<Command['parseOptions']> {
    const takesNext = (word: string | undefined) =>
      this.options.some(({ required, short, long }) => required && word !== undefined && [short, long].includes(word));
    const shielded = argv.map((word, i) => (DASHED_ID.test(word) && !takesNext(argv[i - 1]) ? SHIELD + word : word));
    const { operands, unknown } = super.parseOptions(shielded);
    return { operands: operands.map(bare), unknown: unknown.map(bare) };
  }
}

function bare(word: string): string {
  return word.startsWith(SHIELD) ? word.slice(SHIELD.length) : word;
}

/** The parser of an option that may be there several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A command that only holds others: the options belong to them, or it would take theirs. */
export function group(name: string, summary: string, examples: readonly string[]): Command {
  return new SealwireCommand(name)
    .summary(summary)
    .description(`${summary}\n\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
    .helpOption('-h, --help', 'show this help');
}

/** A command with its examples first in the help, where a reader looks first. */
export function command(name: string, summary: string, examples: readonly string[]): Command {
  return group(name, summary, examples)
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'one JSON object a line on stdout')
    .allowExcessArguments(false);
}

/** A command on the keys of one user. */
export function accountCommand(name: string, summary: string, examples: readonly string[]): Command {
  return command(name, summary, examples)
    .option('-u, --user <name>', 'whose keys (default: the only ones there are)')
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file')
    .option('--passphrase-fd <number>', 'read the passphrase from an open descriptor')
    .option('--device-authority <key>', 'send to accounts that this public key has certified, and to no other')
    .option('--verbose', 'say on stderr what happens to the connection');
}

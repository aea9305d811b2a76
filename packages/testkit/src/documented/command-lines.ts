/** The command lines that the documents show, as programs and their words. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../faults/source-process.ts';

export interface Program {
  readonly name: string;
  readonly main: string;
}
export const SEALWIRE: Program = { name: 'sealwire', main: 'apps/cli/src/main.ts' };
export const LOAD: Program = { name: 'sealwire-load', main: 'apps/load/src/main.ts' };
export const START: Program = { name: 'npm start --', main: 'apps/solo/src/main.ts' };

export interface ProgramCommand {
  readonly program: Program;
  readonly args: readonly string[];
}

/** What a program says to a command line that it does not take. */
export const NOT_UNDERSTOOD = /unknown|required option|too many arguments|missing|is invalid|did you mean|Usage:/i;

/** The fenced `sh` blocks of a document, as lines without comments. */
export function shellBlocks(path: string): string[][] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) =>
    block!
      .split('\n')
      .map((line) => line.replace(/\s+#\s.*$/, '').trim())
      .filter(Boolean),
  );
}

/** What sentences say to type at the server; of `sealwire`, they name commands without their arguments. */
function inlineStarts(path: string): string[] {
  const prose = readFileSync(join(root, path), 'utf8').replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`(npm start -- [^`\n]+)`/g)].map(([, line]) => line!);
}

/** The program of a command line and its words, without the shell's own: redirections and pipes. Undefined: another program. */
export function parseCommand(line: string): ProgramCommand | undefined {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (found) => found.slice(1).find((word) => word !== undefined)!,
  );
  const end = words.findIndex((word) => /^([<>|]|\d[<>])/.test(word));
  const own = end < 0 ? words : words.slice(0, end);
  if (own[0] === 'npx') own.shift();
  if (own[0] === '--no') own.shift();
  if (own[0] === 'sealwire' && own.length > 1) return { program: SEALWIRE, args: own.slice(1) };
  if (own[0] === LOAD.name && own.length > 1) return { program: LOAD, args: own.slice(1) };
  if (own.slice(0, 3).join(' ') === START.name) return { program: START, args: own.slice(3) };
  return undefined;
}

/** Each line of a document that is one of our programs, once. */
export function documentedCommands(): (ProgramCommand & { readonly title: string })[] {
  const documents = ['README.md', 'CONTRIBUTING.md', 'docs/cli.md'].concat(
    readdirSync(join(root, 'docs/operations')).map((name) => `docs/operations/${name}`),
  );
  return documents.flatMap((path) =>
    [...new Set([...shellBlocks(path).flat(), ...inlineStarts(path)])].flatMap((line) => {
      const command = parseCommand(line);
      return command ? [{ title: `${path}: ${line}`, ...command }] : [];
    }),
  );
}

/**
 * The first screen works word for word: the README's two terminals are typed into real processes against a real server, and every
 * command line of the documents is one that the program takes.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openInProcess } from '@sealwire/cli/testing/in-process';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses, root, SourceProcess } from './faults/source-process.ts';

jest.setTimeout(60_000);

interface Program {
  readonly name: string;
  readonly main: string;
}
const SEALWIRE: Program = { name: 'sealwire', main: 'apps/cli/src/main.ts' };
const LOAD: Program = { name: 'sealwire-load', main: 'apps/load/src/main.ts' };
const START: Program = { name: 'npm start --', main: 'apps/solo/src/main.ts' };

/** The fenced `sh` blocks of a document, as lines without comments. */
function shellBlocks(path: string): string[][] {
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
function parseCommand(line: string): { program: Program; args: string[] } | undefined {
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

const folder = mkdtempSync(join(tmpdir(), 'sealwire-readme-'));

afterAll(async () => {
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

/** Somebody with a home of their own, at a terminal. */
function terminal(name: string, more: Readonly<Record<string, string>> = {}): (line: string) => SourceProcess {
  const home = join(folder, name);
  mkdirSync(home, { mode: 0o700 });
  const passphrase = join(home, 'passphrase');
  writeFileSync(passphrase, `the long passphrase of ${name}\n`, { mode: 0o600 });
  const env = { HOME: home, SEALWIRE_PASSPHRASE_FILE: passphrase, NO_COLOR: '1', ...more };
  return (line) => {
    const { program, args } = parseCommand(line)!;
    return new SourceProcess(program.main, args, env, home);
  };
}

/** What a server says to type next. */
async function nextLines(server: ServerProcess): Promise<string[]> {
  const lines = (await server.start()).split('\n');
  return lines.filter((line) => line.startsWith('  ')).map((line) => line.trim());
}

describe('README.md', () => {
  const [first, alice, bob] = shellBlocks('README.md') as [string[], string[], string[]];
  let type: (line: string) => SourceProcess;
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.on(join(folder, 'server'));
    await server.start();
    // The server is not on the port that the README can name.
    type = terminal('home', { SEALWIRE_SERVER: server.origin });
  });

  it('begins with the two commands that start and test everything, and npm knows them', () => {
    expect(first).toEqual(['npm ci && npm start', 'npm ci && npm test']);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const script of ['start', 'test', 'demo']) {
      const [, file] = /^node (\S+)$/.exec(scripts[script]!)!;
      expect([file, existsSync(join(root, file!))]).toEqual([file, true]);
    }
  });

  it('lets alice and bob register and talk, each line typed in its order, and arriving at the other side', async () => {
    expect([alice.length, bob.length]).toEqual([3, 1]);
    for (const line of alice.slice(0, 2)) expect(await type(line).ended).toBe(0);

    const [aliceChat, bobChat] = [type(alice[2]!), type(bob[0]!)];
    aliceChat.type('Are you there?\n');
    await bobChat.says('alice: Are you there?\n');
    bobChat.type('Gladly.\n');
    await aliceChat.says('bob: Gladly.\n');
    for (const chat of [aliceChat, bobChat]) chat.endInput();
    expect(await Promise.all([aliceChat.ended, bobChat.ended])).toEqual([0, 0]);
    expect([aliceChat.stdout, bobChat.stdout]).toEqual(['bob: Gladly.\n', 'alice: Are you there?\n']);
  });
});

describe('the lines that npm start prints', () => {
  it.each([
    ['', []],
    [', where it takes an invitation', ['--gate', 'invitation']],
  ])(
    'work in the order in which they are printed, and are other ones once there are accounts%s',
    async (_, options) => {
      const gate = options.at(-1) ?? 'open';
      const server = await ServerProcess.on(join(folder, `serves ${gate}`), options);
      const lines = await nextLines(server);
      const type = terminal(`next ${gate}`);
      const chats: SourceProcess[] = [];
      let code = 'none';
      for (const line of lines) {
        const typed = type(line.replace('CODE', code));
        if (line.includes(' chat ')) chats.push(typed);
        else expect([line, await typed.ended, typed.stderr]).toEqual([line, 0, expect.anything()]);
        if (line.includes(' invite ')) code = typed.stdout.trim();
      }
      expect(lines).toHaveLength(gate === 'open' ? 4 : 5);
      const [alice, bob] = chats as [SourceProcess, SourceProcess];
      alice.type('Are you there?\n');
      await bob.says('alice: Are you there?\n');
      for (const chat of chats) chat.endInput();
      expect(await Promise.all(chats.map(({ ended }) => ended))).toEqual([0, 0]);

      await server.stop();
      const other = await nextLines(server);
      expect(other.join()).not.toMatch(/alice|bob/);
      if (gate === 'open') {
        const named = other.map((line) => line.replaceAll('NAME', 'carol').replaceAll('OTHER', 'alice'));
        expect(await type(named[0]!).ended).toBe(0);
        const chat = type(named[1]!);
        chat.endInput();
        expect(await chat.ended).toBe(0);
      }
      await server.stop();
    },
  );
});

describe('command lines in the documents', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'docs/cli.md'].concat(
    readdirSync(join(root, 'docs/operations')).map((name) => `docs/operations/${name}`),
  );
  const commands = documents.flatMap((path) =>
    [...new Set([...shellBlocks(path).flat(), ...inlineStarts(path)])].flatMap((line) => {
      const command = parseCommand(line);
      return command ? [{ title: `${path}: ${line}`, ...command }] : [];
    }),
  );

  /** What the program says to a command line, with no keys, no server and no terminal: whether it understands it, it does nothing. */
  async function complaint({ program, args }: { program: Program; args: readonly string[] }): Promise<string> {
    const home = join(folder, 'nobody');
    mkdirSync(home, { recursive: true });
    const harmless = program === START ? ['--print-config'] : [];
    const env = { HOME: home, SEALWIRE_SERVER: 'http://127.0.0.1:1' };
    // In this process: there are a hundred such lines, and a program takes seconds to start.
    // A tester goes where its address says, and nobody may be there.
    if (program === SEALWIRE) return (await openInProcess(home, args, { env, input: '' }).ended).stderr;
    const nowhere = args.map((word) => (program === LOAD && /^https?:/.test(word) ? 'http://127.0.0.1:1' : word));
    const run = new SourceProcess(program.main, [...nowhere, ...harmless], env, home);
    run.endInput();
    await run.ended;
    return run.stderr;
  }
  const NOT_UNDERSTOOD = /unknown|required option|too many arguments|missing|is invalid|did you mean|Usage:/i;

  it('are found', () => expect(commands.length).toBeGreaterThan(6));

  it.each(commands)('$title', async (command) => {
    expect(await complaint(command)).not.toMatch(NOT_UNDERSTOOD);
  });

  it.each([
    'sealwire sned -t bob',
    'sealwire send -t bob --massage hi',
    'sealwire file get',
    'sealwire-load chat http://127.0.0.1:8080 --pears 2',
    'npm start -- --lisen x',
    'npm start -- verfiy x',
  ])('would not pass as: %s', async (line) => {
    expect(await complaint(parseCommand(line)!)).toMatch(NOT_UNDERSTOOD);
  });
});

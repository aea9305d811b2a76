/**
 * The first screen works word for word: the README's two terminals are typed into real processes against a real server, and every
 * command line of the documents is one that the program takes (those of the load tester: apps/load/src/documented.test.ts).
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type InProcess, openInProcess, REAL_RUNTIME } from '@sealwire/cli/testing/in-process';
import {
  documentedCommands,
  LOAD,
  NOT_UNDERSTOOD,
  type ProgramCommand,
  parseCommand,
  SEALWIRE,
  START,
  shellBlocks,
} from './documented/command-lines.ts';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses, root, SourceProcess } from './faults/source-process.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-readme-'));

afterAll(async () => {
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

/** Somebody with a home of their own. */
function homeOf(name: string): { readonly home: string; readonly env: Readonly<Record<string, string>> } {
  const home = join(folder, name);
  mkdirSync(home, { mode: 0o700 });
  const passphrase = join(home, 'passphrase');
  writeFileSync(passphrase, `the long passphrase of ${name}\n`, { mode: 0o600 });
  return { home, env: { HOME: home, SEALWIRE_PASSPHRASE_FILE: passphrase, NO_COLOR: '1' } };
}

/** What a server says to type next. */
async function nextLines(server: ServerProcess): Promise<string[]> {
  const lines = (await server.start()).split('\n');
  return lines.filter((line) => line.startsWith('  ')).map((line) => line.trim());
}

describe('README.md', () => {
  const [first, alice, bob] = shellBlocks('README.md') as [string[], string[], string[]];
  let server: ServerProcess;
  const { home, env } = homeOf('home');

  function type(line: string): SourceProcess {
    const { program, args } = parseCommand(line)!;
    // The server is not on the port that the README can name.
    return new SourceProcess(program.main, args, { ...env, SEALWIRE_SERVER: server.origin }, home);
  }

  beforeAll(async () => {
    server = await ServerProcess.on(join(folder, 'server'));
    await server.start();
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
      const { home, env } = homeOf(`next ${gate}`);
      // Processes of the command line are tried above.
      const type = (line: string, input?: string) =>
        openInProcess(home, parseCommand(line)!.args, {
          env,
          runtime: REAL_RUNTIME,
          ...(input === undefined ? {} : { input }),
        });
      const chats: InProcess[] = [];
      let code = 'none';
      for (const line of lines) {
        if (parseCommand(line)!.program === START) code = await invitationBy(line);
        else if (line.includes(' chat ')) chats.push(type(line));
        else expect([line, await type(line.replace('CODE', code), '').ended]).toMatchObject([line, { code: 0 }]);
      }
      expect(lines).toHaveLength(gate === 'open' ? 4 : 5);
      const [alice, bob] = chats as [InProcess, InProcess];
      alice.stdin.write('Are you there?\n');
      await bob.says('alice: Are you there?\n');
      for (const { stdin } of chats) stdin.end();
      expect((await Promise.all(chats.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0]);

      await server.stop();
      const other = await nextLines(server);
      expect(other.join()).not.toMatch(/alice|bob/);
      if (gate === 'open') {
        const named = other.map((line) => line.replaceAll('NAME', 'carol').replaceAll('OTHER', 'alice'));
        for (const line of named) expect((await type(line, '').ended).code).toBe(0);
      }
      await server.stop();
    },
  );

  /** The operator's own line. */
  async function invitationBy(line: string): Promise<string> {
    const { program, args } = parseCommand(line)!;
    const run = new SourceProcess(program.main, args);
    expect([await run.ended, run.stderr]).toEqual([0, expect.anything()]);
    return run.stdout.trim();
  }
});

describe('command lines in the documents', () => {
  const commands = documentedCommands().filter(({ program }) => program !== LOAD);

  /** What the program says to a command line, with no keys, no server and no terminal: whether it understands it, it does nothing. */
  async function complaint({ program, args }: ProgramCommand): Promise<string> {
    const home = join(folder, 'nobody');
    mkdirSync(home, { recursive: true });
    const env = { HOME: home, SEALWIRE_SERVER: 'http://127.0.0.1:1' };
    // In this process: there are a hundred such lines, and a program takes seconds to start.
    if (program === SEALWIRE) return (await openInProcess(home, args, { env, input: '' }).ended).stderr;
    const run = new SourceProcess(program.main, [...args, '--print-config'], env, home);
    run.endInput();
    await run.ended;
    return run.stderr;
  }
  it('are found', () => expect(commands.length).toBeGreaterThan(6));

  it.each(commands)('$title', async (command) => {
    expect(await complaint(command)).not.toMatch(NOT_UNDERSTOOD);
  });

  it.each([
    'sealwire sned -t bob',
    'sealwire send -t bob --massage hi',
    'sealwire file get',
    'npm start -- --lisen x',
    'npm start -- verfiy x',
  ])('would not pass as: %s', async (line) => {
    expect(await complaint(parseCommand(line)!)).toMatch(NOT_UNDERSTOOD);
  });
});

/** Mistakes in the command line, help, and what the documents say of them; no server is needed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EXIT_CODES } from './exit-codes.ts';
import { openInProcess } from './testing/in-process.ts';

const home = mkdtempSync(join(tmpdir(), 'sealwire-usage-'));
afterAll(() => rmSync(home, { recursive: true }));
const sealwire = (...args: string[]) => openInProcess(home, args).ended;
const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('a mistake is one line with the fix, and exit code 2', () => {
  const unused = join(home, 'unused');
  it.each([
    ['an unknown command', ['sned'], 'Did you mean send?'],
    ['an unknown option', ['send', '-t', 'bob', '--massage', 'hi'], 'Did you mean --message?'],
    ['a missing option', ['send', '-m', 'hi'], 'give -t ADDRESS or -g GROUP'],
    ['a curve that there is not', ['register', '-u', 'alice', '--curve', 'p256'], 'Allowed choices are c25519, c448'],
    ['a bad number of seconds', ['send', '-t', 'bob', '-m', 'x', '--wait', 'soon'], 'Seconds, from 0 to 86400'],
    [
      'a name that is none',
      ['register', '-u', 'Alice Liddell', '-s', 'http://localhost:1'],
      'not a user name like alice',
    ],
    ['an option twice', ['listen', '-u', 'alice', '-u', 'bob'], "'-u, --user <name>' is there more than once"],
    ['a text without anything', ['send', '-u', 'alice', '-t', 'bob', '-m', ''], 'there is nothing to send'],
    ['a file that is not there', ['send', '-t', 'bob', '--file', unused], `there is no file ${unused}`],
    ['a folder as a file', ['send', '-t', 'bob', '--file', tmpdir()], 'make an archive of it'],
    ['a device as a file', ['send', '-t', 'bob', '--file', '/dev/null'], 'write what comes from it into one'],
    ['no number of a file', ['file', 'get'], "missing required argument 'id'"],
    ['records and a file on one stdout', ['file', 'get', '1', '-u', 'alice', '-o', '-', '--json'], 'give -o PATH'],
    ['keys that are not there', ['listen', '-u', 'alice'], 'run `sealwire register -u alice`'],
    ['a server address that is none', ['register', '-u', 'alice', '-s', 'localhost:8080'], 'not a server address'],
    ['no way to ask for the passphrase', ['register', '-u', 'alice'], '--passphrase-file FILE'],
    [
      'a passphrase file that is not there',
      ['register', '-u', 'alice', '--passphrase-file', unused],
      'cannot be read (ENOENT)',
    ],
    [
      'a descriptor that is not open',
      ['register', '-u', 'alice', '--passphrase-fd', '77'],
      'descriptor 77 cannot be read',
    ],
    ['stdin as the passphrase', ['register', '-u', 'alice', '--passphrase-fd', '0'], 'from 3 up'],
    ...(['bob/+', 'bob#', '../bob', 'Bob', 'bo', 'b\0b', 'bob/message'].map((name) => [
      `a name for NES that is none: ${JSON.stringify(name)}`,
      ['nes', 'send', '-t', name, '-m', 'x'],
      'is no name: 3 to 32',
    ]) as [string, string[], string][]),
    ['a name for NES keys that is none', ['nes', 'generate', '-u', '../alice'], 'is no name: 3 to 32'],
    ['no keys for NES', ['nes', 'listen'], 'run `sealwire nes generate -u NAME`'],
    [
      'keys for NES that are too short',
      ['nes', 'generate', '-u', 'alice', '-s', '1024'],
      'A multiple of 8 from 2048 to 8192',
    ],
    ['a broker that is none', ['nes', 'config', '-u', 'alice', '-b', 'https://u:hidden@x'], 'is no URL like mqtts://'],
    [
      'a provider key that is none',
      ['nes', 'config', '-u', 'alice', '-P', fileURLToPath(import.meta.url)],
      'openssl rsa',
    ],
    ['no mail address', ['nes', 'register', '-u', 'alice', '-e', 'alice'], 'is no mail address'],
    ['nobody to be shown to', ['presence', 'show', '-u', 'alice'], '`presence show --nobody`'],
    ['a name for what is no list', ['presence', 'on', '-t', 'bob'], 'go with `presence show`'],
    ['a half of what has none', ['presence', 'away', '--only', 'typing'], '--only goes with `presence on`'],
    [
      'a setting that there is not',
      ['config', 'set', 'servr', 'x'],
      'there are: server, user, passphrase_file, device_authority',
    ],
  ])('%s', async (_what, args, fix) => {
    const { code, stdout, stderr } = await sealwire(...args);
    expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 2, stdout: '', lines: 1 });
    expect(stderr).toContain(fix);
    expect(stderr).toMatch(args.includes('--json') ? /^{"event":"error"/ : /^sealwire: /);
  });

  it('with --json, as an object on stderr', async () => {
    const { code, stdout, stderr } = await sealwire('listen', '-u', 'alice', '--json');
    expect([code, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toEqual({ event: 'error', code: 'usage', message: expect.any(String), exitCode: 2 });
  });

  it('K14: a config file with a mistake is named, with the line to write', async () => {
    const file = join(home, 'broken.toml');
    writeFileSync(file, 'server: https://chat.example.org\n');
    const { code, stderr } = await sealwire('config', 'show', '-c', file);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file} is not TOML`);
  });
});

describe('L10: secrets never stand on the command line', () => {
  it('there is no option that takes a passphrase or a secret itself', async () => {
    const commands = ['register', 'send', 'listen', 'chat', 'doctor', 'devices join', 'devices list'];
    for (const command of commands) {
      const { stdout } = await sealwire(...command.split(' '), '--help');
      const listed = stdout.slice(stdout.indexOf('Options:'));
      const options = [...listed.matchAll(/^ +(?:-\w, )?--([a-z-]*(?:passphrase|secret)[a-z-]*)( <([a-z]+)>)?/gm)];
      expect(options.length).toBeGreaterThan(0);
      for (const [, name, , value] of options) expect([name, value]).toEqual([name, ALLOWED[name as string]]);
    }
  });

  it('a passphrase given as an argument is refused', async () => {
    const { code } = await sealwire('register', '-u', 'alice', '--passphrase', 'open sesame');
    expect(code).toBe(2);
  });
});

/** Names of files and numbers of descriptors, and a switch. */
const ALLOWED: Record<string, string | undefined> = {
  'passphrase-file': 'file',
  'passphrase-fd': 'number',
  'secret-file': 'file',
  'no-passphrase': undefined,
};

describe('help and documents', () => {
  it('shows examples before anything else', async () => {
    const { code, stdout } = await sealwire('--help');
    expect([code, stdout.split('\n', 1)[0]]).toEqual([0, 'Examples:']);
    const send = await sealwire('help', 'send');
    expect(send.stdout.indexOf('Examples:')).toBeLessThan(send.stdout.indexOf('Options:'));
  });

  it('prints no colours into a pipe', async () => {
    const { stderr } = await sealwire('sned');
    expect(stderr).not.toContain('\u001b');
  });

  it('prints the version, also as JSON', async () => {
    expect((await sealwire('version')).stdout).toBe('1.2.3\n');
    const { stdout } = await sealwire('version', '--json');
    expect(JSON.parse(stdout)).toEqual({ event: 'version', version: '1.2.3', node: process.versions.node });
  });

  it('completes commands and options', async () => {
    const { stdout } = await sealwire('completion', 'bash');
    expect(stdout).toContain('"sealwire devices") words="list admit remove undo export-secret join');
    expect(stdout).toMatch(/"sealwire send"\) words="[^"]*--message/);
  });

  it('L10: docs/cli.md has the table of exit codes', () => {
    const text = readFileSync(join(root, 'docs/cli.md'), 'utf8');
    for (const { code, meaning } of Object.values(EXIT_CODES)) expect(text).toContain(`| ${code} | ${meaning} |`);
  });

  it('docs/cli.md describes every command', async () => {
    const text = readFileSync(join(root, 'docs/cli.md'), 'utf8');
    const { stdout } = await sealwire('--help');
    const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name);
    expect(commands.length).toBeGreaterThan(8);
    for (const name of commands.filter((each) => each !== 'help')) expect(text).toContain(`\`${name}`);
  });
});

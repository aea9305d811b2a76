/**
 * docs/operations/load.md works word for word: its command lines are typed, in their order, into real processes with workers of their own
 * against a whole server, for a second each where the page has longer.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ServerProcess } from './faults/server-process.ts';
import { endAllProcesses, root, SourceProcess } from './faults/source-process.ts';

jest.setTimeout(120_000);

const ORIGIN = 'http://127.0.0.1:8080';
const page = readFileSync(join(root, 'docs/operations/load.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block!);
const lines = blocks('sh')
  .flatMap((block) => block.split('\n'))
  .map((line) => line.replace(/\s+#\s.*$/, '').trim())
  .filter((line) => line.includes('sealwire-load '));

const folder = mkdtempSync(join(tmpdir(), 'sealwire-load-page-'));
let server: ServerProcess;
/** Where the page's agent listens. */
let agentAddress = '';

beforeAll(async () => {
  const [scenario = ''] = blocks('yaml');
  writeFileSync(join(folder, 'scenario.yaml'), scenario.replace(/duration: .*/g, 'duration: 1s'));
  mkdirSync(join(folder, 'home'));
  writeFileSync(join(folder, 'agents.secret'), 'a secret that all machines have');
  server = await ServerProcess.on(join(folder, 'server'));
  await server.start();
});

afterAll(async () => {
  await endAllProcesses();
  rmSync(folder, { recursive: true });
});

/** Without `npx --no` and quotes; for a second. */
function wordsOf(line: string): string[] {
  const words = line
    .replace(/^npx --no /, '')
    // Two runs of a second differ by more than any two worth comparing.
    .replace('--allow 20', '--allow 100000')
    .split(/\s+/)
    .map((word) =>
      word
        .replace(/^'(.*)'$/, '$1')
        .replace(ORIGIN, server.origin)
        .replace('127.0.0.1:7300', agentAddress),
    );
  const [, command = '', ...rest] = words;
  const at = rest.indexOf('--duration');
  if (at >= 0) rest.splice(at, 2);
  if (command === 'agent') rest.push('--listen', '127.0.0.1:0', '--once');
  const isTimed = ['chat', 'group', 'connect', 'storm', 'keys', 'files', 'soak', 'controller'].includes(command);
  return [command, ...rest, ...(isTimed ? ['--duration', '1s'] : [])];
}

describe('docs/operations/load.md', () => {
  it('has command lines of every kind', () => {
    const kinds = new Set(lines.map((line) => /sealwire-load (\w+)/.exec(line)![1]));
    const all = [
      'agent',
      'chat',
      'connect',
      'controller',
      'doctor',
      'files',
      'group',
      'keys',
      'report',
      'scenario',
      'soak',
      'storm',
    ];
    expect([...kinds].sort()).toEqual(all);
  });

  it.each(lines)('%s', async (line) => {
    const env = { HOME: join(folder, 'home'), NO_COLOR: '1' };
    const run = new SourceProcess('apps/load/src/main.ts', wordsOf(line), env, folder);
    run.endInput();
    if (line.includes('sealwire-load agent ')) {
      await run.says('127.0.0.1:');
      agentAddress = run.stdout.trim();
      return;
    }
    expect([await run.ended, run.stderr]).toEqual([0, expect.not.stringContaining('sealwire-load:')]);
  });
});

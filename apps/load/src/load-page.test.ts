/**
 * docs/operations/load.md works word for word: its command lines are typed in their order against a whole server, for a part of a second
 * each where the page has longer. The first one is typed into a real process, with workers of its own; the others into this one.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import { type Constellation, startConstellation } from '@sealwire/testkit/constellation';
import { type Outcome, sealwireLoad, startProgram } from './testing/in-process.ts';

jest.setTimeout(120_000);

const ORIGIN = 'http://127.0.0.1:8080';
const page = readFileSync(new URL('../../../docs/operations/load.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block!);
const lines = blocks('sh')
  .flatMap((block) => block.split('\n'))
  .map((line) => line.replace(/\s+#\s.*$/, '').trim())
  .filter((line) => line.includes('sealwire-load '));

const folder = mkdtempSync(join(tmpdir(), 'sealwire-load-page-'));
let server: Constellation;
/** The page's agent, and where it listens. */
let agent: Promise<Outcome> | undefined;
let agentAddress = '';

beforeAll(async () => {
  const [scenario = ''] = blocks('yaml');
  writeFileSync(join(folder, 'scenario.yaml'), scenario.replace(/duration: .*/g, 'duration: 300ms'));
  writeFileSync(join(folder, 'agents.secret'), 'a secret that all machines have');
  server = await startConstellation({ blobs: await openFileBlobs({ folder: join(folder, 'blobs') }) });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const TIMED = ['chat', 'group', 'connect', 'storm', 'keys', 'files', 'soak', 'controller'];
/** Beside the loads, comparing has rounds, and a server of its own that takes long to start: here it is the one that is there. */
const SHORT_ROUNDS = ['--shapes', 'sparse', '--rounds', '1', '--round', '100ms'];

/** Without `npx --no` and quotes, with files in the test's folder; for 300 ms. */
function wordsOf(line: string): string[] {
  const words = line
    .replace(/^npx --no /, '')
    // Two runs so short differ by more than any two worth comparing.
    .replace('--allow 20', '--allow 100000')
    .split(/\s+/)
    .map((word) =>
      word
        .replace(/^'(.*)'$/, '$1')
        .replace(ORIGIN, server.origin)
        .replace('127.0.0.1:7300', agentAddress)
        .replace(/^[\w-]+\.(json|html|yaml|secret)$/, (name) => join(folder, name)),
    );
  const [, command = '', ...rest] = words;
  const at = rest.indexOf('--duration');
  if (at >= 0) rest.splice(at, 2);
  if (command === 'agent') rest.push('--listen', '127.0.0.1:0', '--once');
  if (command === 'compare') rest.push(server.origin, '--server-pid', String(process.pid), ...SHORT_ROUNDS);
  return [command, ...rest, ...(TIMED.includes(command) ? ['--duration', '300ms'] : [])];
}

describe('docs/operations/load.md', () => {
  it('has command lines of every kind', () => {
    const kinds = new Set(lines.map((line) => /sealwire-load (\w+)/.exec(line)![1]));
    const others = ['agent', 'compare', 'doctor', 'report', 'scenario'];
    expect([...kinds].sort()).toEqual([...TIMED, ...others].sort());
  });

  it.each(lines.slice(0, 1))('as a process: %s', async (line) => {
    const child = startProgram('load', [...wordsOf(line), '--workers', '2', '--identities', join(folder, 'own')]);
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, said]).toEqual([0, expect.not.stringContaining('sealwire-load:')]);
  });

  it.each(lines.slice(1))('%s', async (line) => {
    if (line.includes('sealwire-load agent ')) {
      agentAddress = await new Promise<string>((resolve) => {
        agent = sealwireLoad(folder, wordsOf(line), { heard: (text) => resolve(text.trim()) });
      });
      return;
    }
    // A machine of one core is none that the doctor finds good.
    const { code, stderr } = await sealwireLoad(folder, wordsOf(line), { cores: line.includes(' doctor ') ? 2 : 1 });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('sealwire-load:')]);
  });

  it('has an agent that ends by itself', async () => {
    expect((await agent!).code).toBe(0);
  });
});

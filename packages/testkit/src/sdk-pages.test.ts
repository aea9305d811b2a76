/**
 * The pages of docs/sdk do what they say: the snippets of a page are one program, run against a server that all pages share, and what it prints
 * is what stands in the comments behind `console.log`. That they compile is seen in packed.test.ts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openFileBlobs } from '@sealwire/blobs/files';
import type { Blobs } from '@sealwire/blobs/port';
import { Client } from '@sealwire/client/client';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { transform } from 'esbuild';
import { type Constellation, startConstellation } from './constellation.ts';
import { sdkPages } from './documented/sdk-pages.ts';
import { root } from './faults/source-process.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-pages-'));
let blobs: Blobs;
let constellation: Constellation;

beforeAll(async () => {
  blobs = await openFileBlobs({ folder });
  constellation = await startConstellation({ blobs });
});
afterAll(async () => {
  await constellation.stop();
  await blobs.close();
  rmSync(folder, { recursive: true });
});

/** As docs/sdk/getting-started.md has it. */
async function device(name: string): Promise<Client> {
  const { origin: server } = constellation;
  const client = await Client.register({ server, name, storage: new MemoryStorage(), runtime: nodeRuntime() });
  await client.connect();
  return client;
}

type Program = (...given: unknown[]) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => Program;

/** Runs a page; answers what it printed. */
async function run(program: string): Promise<string[]> {
  const { code } = await transform(program, { loader: 'ts', target: 'es2022' });
  const names = [...code.matchAll(/from "([^"]+)"/g)].map(([, name]) => name!);
  const loaded = new Map(await Promise.all(names.map(async (name) => [name, await import(name)] as const)));
  const body = code.replace(/^import (\{[^}]*\}) from ("[^"]+");$/gm, 'const $1 = modules.get($2);');
  const printed: string[] = [];
  const log = (...words: unknown[]) => printed.push(words.join(' '));
  const run = new AsyncFunction('modules', 'server', 'device', 'console', body);
  await run(loaded, constellation.origin, device, { log });
  return printed;
}

describe('the pages of docs/sdk', () => {
  it('are listed, and no other ones', () => {
    const listed = readFileSync(join(root, 'docs/sdk/README.md'), 'utf8').matchAll(/^\| \[[^\]]+\]\(([a-z-]+\.md)\)/gm);
    expect([...listed].map(([, name]) => name).sort()).toEqual(sdkPages().map(({ name }) => name));
  });

  it('say of each error of the SDK what to do, and which can succeed later', () => {
    const source = readFileSync(join(root, 'packages/client/src/errors.ts'), 'utf8');
    const [, table] = /^const CLIENT_CODES = \{$(.*?)^\}/ms.exec(source)!;
    const codes = [...table!.matchAll(/^ {2}'?([a-z-]+)'?: (true|false),$/gm)].map(
      ([, code, retryable]) => `${code}${retryable === 'true' ? ' ↻' : ''}`,
    );
    expect(codes.length).toBeGreaterThan(50);
    const rows = readFileSync(join(root, 'docs/sdk/errors.md'), 'utf8').matchAll(/^\| (`[^|]+) \|/gm);
    const said = [...rows].flatMap(([, first]) => first!.split(', ').map((each) => each.replaceAll('`', '')));
    expect(said.sort()).toEqual(codes.sort());
  });

  it.each(sdkPages())('$name', async ({ program, prints }) => {
    expect(prints.length).toBeGreaterThan(0);
    expect(await run(program)).toEqual(prints);
  });

  it('would not pass when they print something else', async () => {
    expect(await run("import { join } from 'node:path';\nconsole.log(join('a', 'b')); // a/c")).toEqual(['a/b']);
  });
});

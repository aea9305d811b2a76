/**
 * The OpenAPI documents before programs that nobody here wrote: Redocly CLI reads them, and Schemathesis sends real servers what they
 * allow and what they forbid, as anybody and with the token of a device. Skipped aloud where interop/openapi-tools is not set up.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CONFIG, findTools } from '../../../interop/openapi-tools/openapi-tools.mjs';
import { type Constellation, startConstellation } from './constellation.ts';
import { register } from './person.ts';

jest.setTimeout(240_000);

const tools = findTools();
const skipped = 'missing' in tools ? ` (skipped: ${tools.missing})` : '';
const test = skipped ? it.skip : it;
const program = (name: 'redocly' | 'schemathesis') =>
  name in tools ? (tools as Record<typeof name, string>)[name] : '';
const root = fileURLToPath(new URL('../../../', import.meta.url));
const SERVERS = ['api', 'directory'] as const;
const documentOf = (server: (typeof SERVERS)[number]) => join(root, `apps/${server}/openapi.json`);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-openapi-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What it said, when it did not end with 0. Both programs otherwise look for news of themselves. */
function complaintsOf(path: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  };
  return new Promise((resolve) => {
    execFile(path, args, { cwd: folder, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve(error ? stdout + stderr : ''),
    );
  });
}

describe(`Redocly CLI${skipped}`, () => {
  const documents = [...SERVERS.map(documentOf), documentOf('api').replace('openapi.json', 'openapi-admin.json')];

  test.each(documents.map((path) => relative(root, path)))(
    'has nothing to say of %s, not even a warning',
    async (path) => {
      const args = ['lint', '--format=json', '--extends=recommended-strict', join(root, path)];
      expect(await complaintsOf(program('redocly'), ...args)).toBe('');
    },
  );
});

describe(`Schemathesis${skipped}`, () => {
  let constellation: Constellation;
  let authorization: string;

  beforeAll(async () => {
    if (skipped) return;
    constellation = await startConstellation();
    const { client, network } = await register(constellation, 'alice');
    network.intercept = (request, ask) => {
      authorization = request.headers.get('authorization') ?? authorization;
      return ask();
    };
    await client.devices.checkKeys();
    await client.close();
  });
  afterAll(() => constellation?.stop());

  const fuzz = (server: (typeof SERVERS)[number], ...args: string[]) =>
    complaintsOf(
      program('schemathesis'),
      ...['--no-color', '--config-file', CONFIG, 'run', documentOf(server), '--url', constellation.origin, ...args],
    );
  const withToken = () => ['--header', `Authorization: ${authorization}`];

  test.each(SERVERS)('%s, as anybody: every answer is one that the document has', async (server) => {
    expect(await fuzz(server)).toBe('');
  });

  test.each(SERVERS)('%s, with the token of a device: every answer is one that the document has', async (server) => {
    expect(await fuzz(server, ...withToken(), '--exclude-operation-id', 'deleteAccount')).toBe('');
  });

  test('api, and at last the operation that ends the token', async () => {
    expect(await fuzz('api', ...withToken(), '--include-operation-id', 'deleteAccount')).toBe('');
  });
});

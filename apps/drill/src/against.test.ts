/** The command of the container image as a process: against a server with the limits that it has from the start, and its mistakes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePorts } from './cluster/ports.ts';
import { ServerProcess } from './cluster/server-process.ts';

jest.setTimeout(300_000);

const LOADER = fileURLToPath(new URL('../../../infra/scripts/swc-loader.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('./against.ts', import.meta.url));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-against-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function drill(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const words = [
    '--conditions=@sealwire/source',
    '--disable-warning=ExperimentalWarning',
    '--import',
    LOADER,
    MAIN,
    ...args,
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** With the limits that a server has from the start, but for those of `environment`. */
async function startServer(name: string, environment: Readonly<Record<string, string>>) {
  const [port] = (await freePorts(1)) as [number];
  const origin = `http://127.0.0.1:${port}`;
  const own = { LISTEN: `127.0.0.1:${port}`, PUBLIC_ORIGIN: origin, DATA_DIR: join(folder, name), GATE: 'open' };
  const log = join(folder, `${name}.log`);
  const server = new ServerProcess({ name, server: 'solo', port, environment: { ...own, ...environment }, log });
  await server.start();
  return { origin, kill: () => server.kill() };
}

async function statusOf(origin: string, account: string): Promise<number> {
  return (await fetch(`${origin}/directory/manifests/${account.slice('sip:'.length, -1)}`)).status;
}

describe('a drill of a deployment', () => {
  it('proves its promises within its limits, and leaves no account behind', async () => {
    const server = await startServer('data', {});
    const { origin } = server;
    try {
      const { code, stdout, stderr } = await drill(`--against=${origin}`, '--minutes=0', '--sockets=20', '--people=3');
      expect([code, stderr]).toEqual([0, expect.stringContaining('the history is ')]);
      expect(stdout).toMatch(/^\| cut-clients \| 1 \| .*\n\| reconnect-storm \| 1 \| /m);
      expect(stdout).toContain('worst: 20 of 20 sockets back');
      expect(stderr).not.toContain('not deleted');
      const history = readFileSync(join(folder, 'drill/history.jsonl'), 'utf8');
      const accounts = new Set(history.match(/sip:drill-[\w-]+@/g));
      expect(accounts.size).toBeGreaterThanOrEqual(4);
      for (const account of accounts) expect(await statusOf(origin, account)).toBe(404);
      const again = await drill('--check=drill/history.jsonl');
      expect([again.code, again.stdout]).toEqual([0, stdout]);
    } finally {
      await server.kill();
    }
  });

  it('that allows no more accounts is told so, and left as it was', async () => {
    const { origin, kill } = await startServer('limited', { ACCOUNTS_PER_ADDRESS: '3' });
    try {
      const { code, stdout, stderr } = await drill(`--against=${origin}`, '--minutes=0', '--people=2', '--folder=few');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/\ndrill: the deployment allows no more accounts from here for now: fewer --people .*\n$/);
      const accounts = new Set(readFileSync(join(folder, 'few/history.jsonl'), 'utf8').match(/sip:drill-[\w-]+@/g));
      expect(accounts.size).toBe(3);
      for (const account of accounts) expect(await statusOf(origin, account)).toBe(404);
    } finally {
      await kill();
    }
  });

  it('says a mistake in one line, with exit code 2, and makes nothing', async () => {
    const [free] = await freePorts(1);
    const outcomes = await Promise.all([
      drill(),
      drill('--embedded'),
      drill(`--against=http://127.0.0.1:${free}`, '--folder=none'),
      drill('--against=http://127.0.0.1:9', '--folder=/dev/null/drill'),
      drill('--against=http://127.0.0.1:9', '--faults=kill-relay'),
      drill('--check=missing.jsonl'),
    ]);
    expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual(outcomes.map(() => [2, '']));
    expect(outcomes.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/^drill: --against: name your deployment, .*\n$/),
      expect.stringMatching(/^drill: Unknown option '--embedded': .*\n$/),
      expect.stringMatching(/^drill: --against: .* \(ECONNREFUSED\): check the address\n$/),
      expect.stringMatching(/^drill: --folder: nothing can be written in .* \(ENOTDIR\): name another folder\n$/),
      expect.stringMatching(/^drill: --faults: no "kill-relay" here; .*\n$/),
      expect.stringMatching(/^drill: --check: missing.jsonl cannot be read \(ENOENT\).*\n$/),
    ]);
  });

  it('shows its options and its faults', async () => {
    const [help, list] = await Promise.all([drill('--help'), drill('--list')]);
    expect([help.code, help.stdout]).toEqual([0, expect.stringMatching(/^drill --against=URL /)]);
    expect(help.stdout).not.toContain('--engines');
    expect([list.code, list.stdout]).toEqual([0, expect.stringMatching(/^cut-clients .*\nreconnect-storm .*\n$/)]);
  });
});

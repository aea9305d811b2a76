/** For the tests of each server's main: the real process, from the source, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from '@jest/globals';

const LOADER = fileURLToPath(new URL('../../../../infra/scripts/quick-loader.mjs', import.meta.url));

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Resolves when the process has ended and all that it said is read. */
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
  /** Standard output so far, as soon as `what` matches it. Rejects when the process ends before. */
  says(what: RegExp): Promise<string>;
  /** The address in its log line of that name: `http://127.0.0.1:PORT`. */
  listening(): Promise<string>;
}

export interface ServerProcesses {
  /** The working directory of them all, removed after the last test. */
  readonly folder: string;
  /** `env`: all that the process sees of the environment, besides the PATH. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ServerProcess;
}

/** Processes of the `main.ts` beside the test whose `import.meta.url` is given. What still runs after a test is killed. */
export function serverProcesses(mainTest: string): ServerProcesses {
  const main = fileURLToPath(new URL('./main.ts', mainTest));
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-server-'));
  const running = new Set<ServerProcess>();
  afterEach(async () => {
    for (const { child, ended } of running) {
      child.kill('SIGKILL');
      await ended;
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  return {
    folder,
    start(args, env = {}) {
      const options = ['--conditions=@sealwire/source', '--import', LOADER, main, ...args];
      const child = spawn(process.execPath, options, { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env } });
      const server = watched(child);
      running.add(server);
      server.ended.finally(() => running.delete(server));
      return server;
    },
  };
}

function watched(child: ReturnType<typeof spawn>): ServerProcess {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));

  const says = (what: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => what.test(output.stdout) && resolve(output.stdout);
      child.stdout!.on('data', look);
      ended.then(({ code, stderr }) => reject(new Error(`ended (${code}): ${stderr}`)), reject);
      look();
    });

  return {
    child,
    ended,
    says,
    async listening() {
      const line = /^.*"event":"listening".*(?=\n)/m;
      const [text] = line.exec(await says(line)) as RegExpExecArray;
      const { host, port } = JSON.parse(text) as { host: string; port: number };
      return `http://${host}:${port}`;
    },
  };
}

/** Real processes for the tests, run from source: a server of their own on a free port, and the command line. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Result, resultOf } from './result.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const FROM_SOURCE = [
  '--conditions=@sealwire/source',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(root, 'infra/scripts/quick-loader.mjs'),
];

export interface Running {
  readonly pid: number;
  readonly stdin: ChildProcessWithoutNullStreams['stdin'];
  /** Resolves when stdout or stderr holds `text`; rejects when the process ends before. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Result>;
}

/** Starts the command line with folders of its own below `home`, in the folder `cwd`. */
export function openSealwire(
  home: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Running {
  return start(join(root, 'apps/cli/src/main.ts'), args, { HOME: home, PATH: process.env.PATH ?? '', ...env }, cwd);
}

/** A whole server on a free port, with its data in `folder`. */
export async function startServer(
  folder: string,
  options: readonly string[] = [],
): Promise<{ origin: string; stop(): Promise<void> }> {
  const args = ['--listen', '127.0.0.1:0', '--data-dir', folder, ...options];
  const child = start(join(root, 'apps/solo/src/main.ts'), args, { PATH: process.env.PATH ?? '' });
  let text = '';
  child.onText((chunk) => {
    text += chunk;
  });
  await child.says('Next, in another terminal');
  const origin = /http:\/\/localhost:\d+/.exec(text)?.[0] as string;
  return {
    origin,
    async stop() {
      child.kill('SIGTERM');
      await child.ended;
    },
  };
}

/** Makes an invitation code for the server whose data lies in `folder`. */
export async function invite(folder: string): Promise<string> {
  const args = ['invite', '--data-dir', folder];
  const { stdout } = await start(join(root, 'apps/solo/src/main.ts'), args, { PATH: process.env.PATH ?? '' }).ended;
  return stdout.trim();
}

/** Makes a reset code for an account of the server whose data lies in `folder`; `said`: what its operator is told. */
export async function resetAccount(folder: string, name: string): Promise<{ code: string; said: string }> {
  const args = ['reset-account', name, '--data-dir', folder];
  const main = join(root, 'apps/solo/src/main.ts');
  const { stdout, stderr } = await start(main, args, { PATH: process.env.PATH ?? '' }).ended;
  return { code: stdout.trim(), said: stderr };
}

function start(
  main: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): Running & { onText(hear: (chunk: string) => void): void } {
  const child = spawn(process.execPath, [...FROM_SOURCE, main, ...args], { env, cwd });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  // A process that ends without reading its input is no failure of the test.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code]) => resultOf(code as number | null, output.stdout, output.stderr));
  return {
    pid: child.pid as number,
    stdin: child.stdin,
    ended,
    kill: (signal) => void child.kill(signal),
    onText: (hear) => void child.stdout.on('data', hear),
    says(text) {
      return new Promise((resolve, reject) => {
        const look = () => `${output.stdout}${output.stderr}`.includes(text) && resolve();
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        ended.then(
          ({ code, stderr }) => reject(new Error(`ended (${code}) before it said "${text}": ${stderr}`)),
          reject,
        );
        look();
      });
    },
  };
}

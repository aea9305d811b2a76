/** Real processes for the tests, run from source: a server of their own on a free port, and the command line. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const FROM_SOURCE = [
  '--conditions=@sealwire/source',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(root, 'infra/scripts/swc-loader.mjs'),
];

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** One object a line of stdout. */
  readonly records: readonly Record<string, unknown>[];
}

export interface Running {
  readonly pid: number;
  readonly stdin: ChildProcessWithoutNullStreams['stdin'];
  /** Resolves when stdout or stderr holds `text`; rejects when the process ends before. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Result>;
}

/** Starts the command line with folders of its own below `home`. */
export function openSealwire(home: string, args: readonly string[], env: Record<string, string> = {}): Running {
  return start(join(root, 'apps/cli/src/main.ts'), args, { HOME: home, PATH: process.env.PATH ?? '', ...env });
}

/** Runs the command line to its end; `input` is all of its stdin. */
export async function sealwire(
  home: string,
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<Result> {
  const child = openSealwire(home, args, env);
  child.stdin.end(input);
  return child.ended;
}

/** A whole server on `port` (0: any) with its data in `folder`. */
export async function startServer(
  folder: string,
  port = 0,
): Promise<{ origin: string; port: number; stop(): Promise<void> }> {
  const args = ['--listen', `127.0.0.1:${port}`, '--data-dir', folder];
  const child = start(join(root, 'apps/solo/src/main.ts'), args, { PATH: process.env.PATH ?? '' });
  let text = '';
  child.onText((chunk) => {
    text += chunk;
  });
  await child.says('Next, in another terminal');
  const origin = /http:\/\/localhost:\d+/.exec(text)?.[0] as string;
  return {
    origin,
    port: Number(new URL(origin).port),
    async stop() {
      child.kill('SIGTERM');
      await child.ended;
    },
  };
}

function start(
  main: string,
  args: readonly string[],
  env: Record<string, string>,
): Running & { onText(hear: (chunk: string) => void): void } {
  const child = spawn(process.execPath, [...FROM_SOURCE, main, ...args], { env });
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

function resultOf(code: number | null, stdout: string, stderr: string): Result {
  return {
    code,
    stdout,
    stderr,
    get records() {
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

/** Programs of this repository as processes of their own, run from source; each is ended by its own process id. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../../', import.meta.url));

const FROM_SOURCE = [
  '--conditions=@sealwire/source',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(root, 'infra/scripts/quick-loader.mjs'),
];

const running = new Set<SourceProcess>();

export class SourceProcess {
  stdout = '';
  stderr = '';
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;

  /** `main`: a path below the root of the repository. The environment is `env` and nothing of ours but PATH. */
  constructor(main: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, folder?: string) {
    const child = spawn(process.execPath, [...FROM_SOURCE, join(root, main), ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      cwd: folder,
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // A process that was killed does not read what is typed any more.
    child.stdin.on('error', () => {});
    running.add(this);
    this.ended = once(child, 'close').then(([code]) => {
      running.delete(this);
      return code as number | null;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves when stdout and stderr together hold `text`; rejects when the process ends before. */
  says(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => `${this.stdout}\n${this.stderr}`.includes(text) && resolve();
      this.#child.stdout.on('data', look);
      this.#child.stderr.on('data', look);
      this.ended.then((code) => reject(new Error(`ended (${code}) before it said "${text}": ${this.stderr}`)), reject);
      look();
    });
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** Ends whatever a test that failed half-way has left. */
export async function endAllProcesses(): Promise<void> {
  await Promise.all(
    [...running].map((process) => {
      process.signal('SIGKILL');
      return process.ended;
    }),
  );
}

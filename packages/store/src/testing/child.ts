/** Another process on the same folder, for the tests of what LMDB promises across processes. It says on stdout, line by line, what it did. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LOADER = fileURLToPath(new URL('../../../../infra/scripts/quick-loader.mjs', import.meta.url));

export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  /** Runs `script` (a file beside this one) from source. `shell` comes before the command: `ulimit` and the like. */
  constructor(script: string, args: readonly string[], shell = '') {
    const file = fileURLToPath(new URL(script, import.meta.url));
    const command = [process.execPath, '--conditions=@sealwire/source', '--import', LOADER, file, ...args];
    this.#process = spawn('bash', ['-c', `${shell} exec "$@"`, 'bash', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
  }

  /** What it said on stderr. */
  get errors(): string {
    return this.#errors;
  }

  /** `exec` made the shell this very process. */
  get pid(): number {
    return this.#process.pid as number;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The next line; undefined when there are no more. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** What is left of its lines, once it has ended by itself. Throws when it failed. */
  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
    if (this.#process.exitCode !== 0)
      throw new Error(`the child ended with ${this.#process.exitCode}: ${this.#errors}`);
    return lines;
  }

  /** `kill -9`; what it had still said. */
  async kill(): Promise<string[]> {
    const exit = once(this.#process, 'exit');
    if (this.#process.kill('SIGKILL')) await exit;
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    return lines;
  }
}

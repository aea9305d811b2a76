/** The programs of a run with many sockets: servers with their data, and `sealwire-load`, each a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOLO = fileURLToPath(new URL('../../../solo/src/main.ts', import.meta.url));
const LOAD = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LOOK_EVERY_MS = 250;
const READY_WITHIN_MS = 120_000;
const KIB = 1_024;

/** One machine is one address: no limit that counts addresses is in the way, and nothing else is changed. */
const UNLIMITED = { ACCOUNTS_PER_ADDRESS: '0', LOGINS_PER_ADDRESS: '0', CONNECTIONS_PER_ADDRESS: '0' };

process.setMaxListeners(100);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export class Program {
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';

  private constructor(main: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#process = spawn(process.execPath, [...process.execArgv, main, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // However this run ends, nothing is left behind.
    process.once('exit', () => this.#process.kill('SIGTERM'));
    this.#process.stdout?.on('data', (data: Buffer) => {
      this.#stdout += data.toString();
    });
    this.#process.stderr?.on('data', (data: Buffer) => {
      this.#stderr += data.toString();
    });
  }

  /** `npm start` with its data in `folder`; resolves when it answers. */
  static async server(port: number, folder: string): Promise<Program> {
    const origin = originOf(port);
    const env = { ...UNLIMITED, LISTEN: `127.0.0.1:${port}`, DATA_DIR: folder, PUBLIC_ORIGIN: origin };
    const program = new Program(SOLO, [], env);
    const until = Date.now() + READY_WITHIN_MS;
    for (;;) {
      program.mustLive();
      const answer = await fetch(`${origin}/readyz`).catch(() => undefined);
      if (answer?.ok) return program;
      if (Date.now() > until) throw new Error(`the server on ${port} is not ready: ${program.#stderr}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  static load(args: readonly string[]): Program {
    return new Program(LOAD, [...args, '--json'], {});
  }

  /** µs of processor time, with the kernel's work for it. */
  get cpuUs(): number {
    const text = readFileSync(`/proc/${this.#process.pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  }

  /** Bytes in memory that are its own: no file is behind them. */
  get ownMemory(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'latin1');
    return Number(/^RssAnon:\s+([0-9]+) kB/m.exec(status)?.[1]) * KIB;
  }

  /** Of `sealwire-load connect` or `storm`: all its sockets are there. */
  async begun(): Promise<void> {
    while (!/ begins$/m.test(this.#stderr)) {
      this.mustLive();
      await pause(LOOK_EVERY_MS);
    }
  }

  /** The report; rejects when it could make none, or a promise was broken. */
  async report(): Promise<Report> {
    if (this.#process.exitCode === null) await once(this.#process, 'close');
    if (this.#process.exitCode !== 0) throw this.#ended();
    return JSON.parse(this.#stdout) as Report;
  }

  mustLive(): void {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw this.#ended();
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }

  #ended(): Error {
    return new Error(
      `a program ended with ${this.#process.exitCode ?? this.#process.signalCode}: ${this.#stderr.slice(-2_000)}`,
    );
  }
}

interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What is read here of a report of `sealwire-load`; times in ms. */
export interface Report {
  readonly times: Readonly<Record<string, Summary>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly oracle: { readonly offences: Readonly<Record<string, number>> };
}

export function originOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A server of this repository as a process, by the environment alone: started, stopped, killed and paused by its own process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const READY_WITHIN_MS = 60_000;
const LOOK_MS = 50;
const START_ATTEMPTS = 5;
const START_AGAIN_MS = 1_000;
/** Beside the sources, or beside what was built of them: as this very file. */
const FROM_SOURCE = import.meta.url.endsWith('.ts');
const root = fileURLToPath(new URL('../../../../', import.meta.url));

const running = new Set<ChildProcess>();
// A drill that fails half-way leaves nobody behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** `server` has the commands of a deployment, and is none by itself. */
export type ServerName = 'api' | 'directory' | 'relay' | 'solo' | 'server';

export interface ServerTerms {
  readonly name: string;
  readonly server: ServerName;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Its log is appended here. */
  readonly log: string;
}

export type CommandTerms = Pick<ServerTerms, 'server' | 'args' | 'environment' | 'log'>;

/** How one process takes another one's place (`pods.ts`). */
export interface Succession {
  /** Of the next one, and what it is told otherwise. */
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** The next one is ready, and the old one serves still. Resolves when the old one may be told to end. */
  readonly bothServe: () => Promise<void>;
  /** From SIGTERM on. */
  readonly graceMs: number;
}

export class ServerProcess {
  readonly name: string;
  #terms: ServerTerms;
  #child: ChildProcess | undefined;

  constructor(terms: ServerTerms) {
    this.name = terms.name;
    this.#terms = terms;
  }

  /** What it is told otherwise, from its next start on. */
  setEnvironment(environment: Readonly<Record<string, string>>): void {
    this.#terms = { ...this.#terms, environment: { ...this.#terms.environment, ...environment } };
  }

  get port(): number {
    return this.#terms.port;
  }

  /** Resolves when it is ready, end to end. Rejects when it ended before, or takes too long. */
  async start(): Promise<void> {
    const { server, environment, args = [], log } = this.#terms;
    const output = openSync(log, 'a', 0o600);
    const child = spawn(process.execPath, [...loaderOf(), mainOf(server), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH ?? '', ...environment },
      stdio: ['ignore', output, output],
    });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    await this.ready();
  }

  async ready(withinMs = READY_WITHIN_MS): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await answers(`http://127.0.0.1:${this.port}/readyz`))) {
      if (!this.#isRunning) throw new Error(`${this.name} ended: its log is ${this.#terms.log}`);
      if (performance.now() > deadline) throw new Error(`${this.name} is not ready: its log is ${this.#terms.log}`);
      await pause(LOOK_MS);
    }
  }

  /** Resolves when the process is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** In order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Resolves when the next one has taken over and the old one has ended; rejects when either does not within its time. */
  async giveWayTo({ port, environment, bothServe, graceMs }: Succession): Promise<void> {
    const old = this.#child;
    this.#terms = { ...this.#terms, port };
    this.setEnvironment(environment);
    await this.#startAgain();
    await bothServe();
    if (!old || old.exitCode !== null || old.signalCode !== null) return;
    const closed = once(old, 'close').then(() => true);
    old.kill('SIGTERM');
    if (await Promise.race([closed, pause(graceMs, false, { ref: false })])) return;
    old.kill('SIGKILL');
    throw new Error(`${this.name} did not end within ${graceMs / 1_000} s: its log is ${this.#terms.log}`);
  }

  /** As a cluster does with a container that ends at its start, since the bus did not answer say. */
  async #startAgain(): Promise<void> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.start();
      } catch (error) {
        if (this.#isRunning || attempt === START_ATTEMPTS) throw error;
        await pause(START_AGAIN_MS);
      }
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Its clock goes on or back by what its environment says (clock-step.mjs). */
  stepClock(): void {
    this.#child?.kill('SIGUSR2');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || !this.#isRunning) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  get #isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

/** One that ends by itself. Rejects with an `Error` that names its log unless its exit code is 0. */
export async function runCommand({ server, args = [], environment, log }: CommandTerms): Promise<void> {
  const output = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, [...loaderOf(), mainOf(server), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', output, output],
  });
  running.add(child);
  const [code] = await once(child, 'close');
  running.delete(child);
  closeSync(output);
  if (code !== 0) throw new Error(`${args[0]} ended with ${code ?? 'a signal'}: its log is ${log}`);
}

function loaderOf(): string[] {
  const clock = ['--import', fileURLToPath(new URL('../../clock-step.mjs', import.meta.url))];
  if (!FROM_SOURCE) return clock;
  const loader = fileURLToPath(new URL('../../../../infra/scripts/quick-loader.mjs', import.meta.url));
  return ['--conditions=@sealwire/source', '--disable-warning=ExperimentalWarning', '--import', loader, ...clock];
}

function mainOf(server: ServerName): string {
  const [folder, ending] = FROM_SOURCE ? ['src', 'ts'] : ['dist', 'js'];
  return fileURLToPath(new URL(`../../../${server}/${folder}/main.${ending}`, import.meta.url));
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

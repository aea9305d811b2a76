/** The command line within the test's own process: quicker than a process of its own, for all that does not need one. */
import { PassThrough } from 'node:stream';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { run } from '../run.ts';
import type { Surroundings, Terminal } from '../surroundings.ts';
import { type Result, resultOf } from './result.ts';

export interface InProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** All of stdin; it stays open without. */
  readonly input?: string | Uint8Array;
  /** stdin and stderr are one. */
  readonly terminal?: boolean;
  /** stdout is one. */
  readonly stdoutTerminal?: boolean;
  /** Default: every request fails as if nobody listened. */
  readonly runtime?: ClientRuntime;
}

export interface InProcess {
  readonly stdin: PassThrough;
  readonly ended: Promise<Result>;
  stdoutSoFar(): string;
  stderrSoFar(): string;
  /** Resolves when stdout or stderr holds `text`. */
  says(text: string): Promise<void>;
  /** As Ctrl-C does. */
  interrupt(): void;
}

let seed = 1;

export const NO_NETWORK: ClientRuntime = {
  crypto: nobleCrypto(),
  random: (length) => Uint8Array.from({ length }, () => (seed = (seed * 73 + 41) % 251)),
  now: () => 1_700_000_000_000,
  fetch: () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })),
  connectSocket: (_url, _subprotocol, handlers) => {
    queueMicrotask(() => handlers.closed({ code: 1006, reason: 'no network here' }));
    return { send() {}, close() {}, drop() {} };
  },
};

/** As `main.ts` has it. */
export const REAL_RUNTIME = nodeRuntime();

export function openInProcess(home: string, argv: readonly string[], options: InProcessOptions = {}): InProcess {
  const { env = {}, input, terminal = false, stdoutTerminal = false, runtime = NO_NETWORK } = options;
  const stdin = new PassThrough();
  if (input !== undefined) stdin.end(input);
  const interruption = new AbortController();
  const output = { stdout: '', stderr: '' };
  const collect = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
    });
  const surroundings: Surroundings = {
    argv,
    env: { NO_COLOR: '1', ...env },
    home,
    osUser: 'tester',
    stdin: Object.assign(stdin, { isTTY: terminal, setRawMode: () => stdin }) as Terminal,
    stdout: Object.assign(collect('stdout'), { isTTY: stdoutTerminal }),
    stderr: Object.assign(collect('stderr'), { isTTY: terminal, columns: 80 }),
    runtime,
    interrupted: interruption.signal,
    version: '1.2.3',
    passphraseCost: { memoryKiB: 8, passes: 1, lanes: 1 },
  };
  // A stream hands its last chunk over in the turn after it was written.
  const ended = run(surroundings).then(
    (code) =>
      new Promise<Result>((resolve) => setImmediate(() => resolve(resultOf(code, output.stdout, output.stderr)))),
  );
  return {
    stdin,
    ended,
    stdoutSoFar: () => output.stdout,
    stderrSoFar: () => output.stderr,
    async says(text) {
      while (!`${output.stdout}${output.stderr}`.includes(text)) await new Promise((resolve) => setImmediate(resolve));
    },
    interrupt: () => interruption.abort(),
  };
}

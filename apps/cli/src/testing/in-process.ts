/** The command line within the test's own process, for what needs no process of its own: mistakes, help, prompts. */
import { PassThrough } from 'node:stream';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { run } from '../run.ts';
import type { Surroundings, Terminal } from '../surroundings.ts';

export interface InProcess {
  readonly stdin: PassThrough;
  readonly ended: Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  stderrSoFar(): string;
}

/** `terminal`: stdin is one. There is no network: every request fails as if nobody listened. */
export function openInProcess(home: string, argv: readonly string[], { terminal = false } = {}): InProcess {
  const stdin = new PassThrough();
  const output = { stdout: '', stderr: '' };
  const collect = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
    });
  let seed = 1;
  const surroundings: Surroundings = {
    argv,
    env: {},
    home,
    osUser: 'tester',
    stdin: Object.assign(stdin, { isTTY: terminal, setRawMode: () => stdin }) as Terminal,
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    runtime: {
      crypto: nobleCrypto(),
      random: (length) => Uint8Array.from({ length }, () => (seed = (seed * 73 + 41) % 251)),
      now: () => 1_700_000_000_000,
      fetch: () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })),
      connectSocket: (_url, _subprotocol, handlers) => {
        queueMicrotask(() => handlers.closed({ code: 1006, reason: 'no network here' }));
        return { send() {}, close() {}, drop() {} };
      },
    },
    interrupted: new AbortController().signal,
    version: '1.2.3',
  };
  return {
    stdin,
    stderrSoFar: () => output.stderr,
    // A stream hands its last chunk over in the turn after it was written.
    ended: run(surroundings).then((code) => new Promise((resolve) => setImmediate(() => resolve({ code, ...output })))),
  };
}

/** `sealwire-load` in the test's own process, with one worker in it. */
import { PassThrough } from 'node:stream';
import type { ClientRuntime } from '@sealwire/client/runtime';
import { run } from '../program.ts';
import { processRuntime, steadyNow } from '../running/process-runtime.ts';
import { startPrograms } from '../running/programs.ts';
import { Worker } from '../running/worker.ts';

const FROM_SOURCE = [
  '--conditions=@sealwire/source',
  '--disable-warning=ExperimentalWarning',
  '--import',
  new URL('../../../../infra/scripts/swc-loader.mjs', import.meta.url).pathname,
];

const programs = startPrograms(FROM_SOURCE);
/** Programs of this repository as processes of their own, from source. */
export const { startProgram } = programs;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface InProcessOptions {
  readonly terminal?: boolean;
  /** Of the worker. */
  readonly runtime?: ClientRuntime;
  readonly interrupted?: AbortSignal;
  readonly version?: string;
  readonly cores?: number;
  /** Is called with what comes on stdout, as it comes. */
  readonly heard?: (text: string) => void;
}

/** `home`: where identities go. */
export async function sealwireLoad(
  home: string,
  argv: readonly string[],
  {
    terminal = false,
    runtime,
    interrupted = new AbortController().signal,
    version = '1.2.3',
    cores = 1,
    heard,
  }: InProcessOptions = {},
): Promise<Outcome> {
  const output = { stdout: '', stderr: '' };
  const collect = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
      if (name === 'stdout') heard?.(chunk.toString());
    });
  const code = await run({
    argv,
    env: { NO_COLOR: '1' },
    home,
    cores,
    stdout: collect('stdout'),
    stderr: Object.assign(collect('stderr'), { isTTY: terminal }),
    runtime: processRuntime([]),
    now: steadyNow,
    openHand: (_isForked, say) =>
      new Worker({ runtimeFrom: (sources) => runtime ?? processRuntime(sources), now: steadyNow, say }),
    ...programs,
    interrupted,
    version,
  });
  // A stream hands its last chunk over in the turn after it was written.
  await new Promise((resolve) => setImmediate(resolve));
  return { code, ...output };
}

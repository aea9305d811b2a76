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
}

/** `home`: where identities go. */
export async function sealwireLoad(
  home: string,
  argv: readonly string[],
  { terminal = false, runtime, interrupted = new AbortController().signal, version = '1.2.3' }: InProcessOptions = {},
): Promise<Outcome> {
  const output = { stdout: '', stderr: '' };
  const collect = (name: 'stdout' | 'stderr') =>
    new PassThrough().on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
    });
  const code = await run({
    argv,
    env: { NO_COLOR: '1' },
    home,
    cores: 1,
    stdout: collect('stdout'),
    stderr: Object.assign(collect('stderr'), { isTTY: terminal }),
    runtime: processRuntime([]),
    now: steadyNow,
    openHand: (_isForked, say) =>
      new Worker({ runtimeFrom: (sources) => runtime ?? processRuntime(sources), now: steadyNow, say }),
    ...startPrograms(FROM_SOURCE),
    interrupted,
    version,
  });
  // A stream hands its last chunk over in the turn after it was written.
  await new Promise((resolve) => setImmediate(resolve));
  return { code, ...output };
}

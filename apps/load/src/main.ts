/** The composition root of `sealwire-load`: the process's streams, environment, clock, network and workers. */
import { readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from './errors.ts';
import { run } from './program.ts';
import { ForkedWorker } from './running/forked-worker.ts';
import { processRuntime, steadyNow } from './running/process-runtime.ts';
import { startPrograms } from './running/programs.ts';
import { Worker } from './running/worker.ts';

// Keys of test accounts are for their owner only.
process.umask(0o077);

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT_CODES.interrupted.code);
    interruption.abort();
  });
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interruption.abort());

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
// Built or from source: the worker beside this file, in its form.
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = fileURLToPath(new URL(`./running/worker-main.${extension}`, import.meta.url));

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  home: homedir(),
  cores: availableParallelism(),
  stdout: process.stdout,
  stderr: process.stderr,
  runtime: processRuntime([]),
  now: steadyNow,
  openHand: (isForked, say) =>
    isForked ? new ForkedWorker(entry, say) : new Worker({ runtimeFrom: processRuntime, now: steadyNow, say }),
  ...startPrograms(process.execArgv),
  interrupted: interruption.signal,
  version,
});

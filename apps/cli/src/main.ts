/** The composition root: the process's streams, environment, clock and randomness, and how a signal ends it. */
import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { EXIT_CODES } from './exit-codes.ts';
import { run } from './run.ts';

// Whatever this program makes is for its owner only.
process.umask(0o077);

const interruption = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(EXIT_CODES.interrupted.code);
    interruption.abort();
  });

// `sealwire listen | head -1`: nobody reads any more, which is no failure. `> /dev/full` is one, and who wrote is told.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interruption.abort());

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  home: home(),
  osUser: osUser(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  runtime: nodeRuntime(),
  interrupted: interruption.signal,
  version,
});

/** Of a user id that has none, and without HOME, there is nowhere to look. */
function home(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

/** Containers may run under a user id that has no name. */
function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'user';
  }
}

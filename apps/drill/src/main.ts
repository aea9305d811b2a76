/**
 * `npm run drill`: faults under steady traffic, and a verdict on what clients saw of them (docs/operations/drill.md). The history file
 * can be judged again with `--check`.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemRandom } from '@sealwire/crypto/random';
import { planCluster } from './cluster/cluster.ts';
import type { Deployment } from './cluster/deployment.ts';
import { foreign, planEmbedded } from './cluster/embedded.ts';
import { drill } from './drill.ts';
import { FAULTS } from './faults/all.ts';
import { History, readHistory } from './history/history.ts';
import { Checker } from './judging/checker.ts';
import { Recovery } from './judging/recovery.ts';
import { report } from './judging/report.ts';
import { type Options, parseOptions, USAGE } from './options.ts';

/** Never backwards, whatever is done to the machine's clock. */
const now = () => performance.timeOrigin + performance.now();
const say = (line: string) => void process.stderr.write(`${new Date(now()).toISOString().slice(11, 19)} ${line}\n`);

try {
  process.exitCode = await run(parseOptions(process.argv.slice(2), homedir()));
} catch (error) {
  process.stderr.write(`drill: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

async function run(options: Options): Promise<number> {
  if (options.help) return show(USAGE);
  if (options.list) return show(FAULTS.map(({ name, about }) => `${name.padEnd(18)} ${about}\n`).join(''));
  if (options.check !== undefined) return judge(options.check);
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'history.jsonl');
  const history = new History(path, now);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const deployment = await planFor(options, folder);
  const prefix = options.against === undefined ? '' : `drill-${Math.round(now()).toString(36)}-`;
  try {
    await drill({ options, deployment, history, now, prefix, say, signal: ending.signal });
  } finally {
    await deployment.stop();
    await history.close();
  }
  say(`the history is ${path}`);
  return judge(path);
}

async function judge(path: string): Promise<number> {
  const checker = new Checker();
  const recovery = new Recovery();
  for await (const event of readHistory(path)) {
    checker.take(event);
    recovery.take(event);
  }
  const { text, exitCode } = report(checker, recovery);
  show(text);
  return exitCode;
}

function planFor(options: Options, folder: string): Promise<Deployment> {
  if (options.against !== undefined) return Promise.resolve(foreign(options.against));
  if (options.embedded) return planEmbedded(folder);
  return planCluster({ folder, enginesFolder: resolve(options.engines), random: systemRandom });
}

function show(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

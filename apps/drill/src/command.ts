/** What both commands of a drill do: read the words, run or judge, and answer an exit code. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Deployment } from './cluster/deployment.ts';
import { drill } from './drill.ts';
import { type Fault, faultsFor } from './faults/fault.ts';
import { History, readHistory } from './history/history.ts';
import { Checker } from './judging/checker.ts';
import { Overview } from './judging/overview.ts';
import { Recovery } from './judging/recovery.ts';
import { RegionTimes } from './judging/regions.ts';
import { report } from './judging/report.ts';
import { type Options, parseOptions, type Scope, usageOf } from './options.ts';

/** Never backwards, whatever is done to the machine's clock. */
const now = () => performance.timeOrigin + performance.now();
const say = (line: string) => void process.stderr.write(`${new Date(now()).toISOString().slice(11, 19)} ${line}\n`);

export interface CommandTerms {
  readonly scope: Scope;
  readonly faults: readonly Fault[];
  /** What the faults are made on; `folder` is there. */
  readonly plan: (options: Options, folder: string) => Promise<Deployment>;
}

/** Reads `process.argv` from the third word on; sets the exit code. A mistake is one line. */
export async function command(terms: CommandTerms): Promise<void> {
  try {
    process.exitCode = await run(parseOptions(process.argv.slice(2), homedir(), terms.scope), terms);
  } catch (error) {
    process.stderr.write(`drill: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}

async function run(options: Options, { scope, faults, plan }: CommandTerms): Promise<number> {
  if (options.help) return show(usageOf(scope));
  if (options.list) return show(faults.map(({ name, about }) => `${name.padEnd(18)} ${about}\n`).join(''));
  if (options.check !== undefined) return judge(options.check);
  const folder = resolve(options.folder);
  const path = join(folder, 'history.jsonl');
  const history = historyIn(folder, path);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const prefix = options.against === undefined ? '' : `drill-${Math.round(now()).toString(36)}-`;
  try {
    const deployment = await plan(options, folder);
    try {
      const chosen = faultsFor(faults, deployment, options.faults);
      await drill({ options, deployment, faults: chosen, history, now, prefix, say, signal: ending.signal });
    } finally {
      await deployment.stop();
    }
  } finally {
    await history.close();
  }
  say(`the history is ${path}`);
  return judge(path);
}

function historyIn(folder: string, path: string): History {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new History(path, now);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`--folder: nothing can be written in ${folder} (${code}): name another folder`, { cause });
  }
}

async function judge(path: string): Promise<number> {
  const checker = new Checker();
  const recovery = new Recovery();
  const overview = new Overview();
  const regions = new RegionTimes();
  for await (const event of readHistory(path)) {
    checker.take(event);
    recovery.take(event);
    overview.take(event);
    regions.take(event);
  }
  const { text, exitCode } = report(checker, recovery, overview, regions);
  show(text);
  return exitCode;
}

function show(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

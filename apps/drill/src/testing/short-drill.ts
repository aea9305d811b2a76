/** A drill from the first account to the verdict, in a test. */
import { join } from 'node:path';
import type { Deployment } from '../cluster/deployment.ts';
import { drill } from '../drill.ts';
import type { Fault } from '../faults/fault.ts';
import { History, readHistory } from '../history/history.ts';
import { Checker, type Verdict } from '../judging/checker.ts';
import { parseOptions } from '../options.ts';

export interface Outcome extends Verdict {
  /** What was made and got over, in order. */
  readonly over: readonly string[];
}

/** Each fault once. `deployment` is stopped afterwards. */
export async function shortDrill(
  folder: string,
  deployment: Deployment,
  faults: readonly Fault[],
  argv: readonly string[],
): Promise<Outcome> {
  const options = parseOptions(['--minutes=0', ...argv], folder);
  const path = join(folder, 'history.jsonl');
  const now = () => performance.timeOrigin + performance.now();
  const history = new History(path, now);
  const { signal } = new AbortController();
  try {
    await drill({ options, deployment, faults, history, now, prefix: '', say: () => {}, signal });
  } finally {
    await deployment.stop();
    await history.close();
  }
  const checker = new Checker();
  const over: string[] = [];
  for await (const event of readHistory(path)) {
    checker.take(event);
    if (event.event === 'fault' && event.phase === 'over') over.push(event.fault);
  }
  return { ...checker.verdict(), over };
}

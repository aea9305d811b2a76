/** Processor time of other processes, as Linux tells it in /proc: what a database costs beside its client. */
import { readdirSync, readFileSync } from 'node:fs';

/** `sysconf(_SC_CLK_TCK)` of every Linux that Node runs on. */
const US_PER_TICK = 10_000;

interface ProcessRow {
  readonly parent: number;
  readonly ticks: number;
}

/** `--watch=name:pid` for each of `args`: names and the processes that they are, with all that these start. */
export function watchedOf(args: readonly string[]): Map<string, number> {
  const watched = new Map<string, number>();
  for (const arg of args) {
    const [, name, pid] = /^--watch=([a-z]+):([0-9]+)$/.exec(arg) ?? [];
    if (name !== undefined) watched.set(name, Number(pid));
  }
  return watched;
}

/** Microseconds so far of `pid` and its descendants, ended ones included. */
export function processorTime(pid: number): number {
  const rows = new Map<number, ProcessRow>();
  for (const name of readdirSync('/proc')) {
    const row = /^[0-9]+$/.test(name) ? rowOf(name) : undefined;
    if (row) rows.set(Number(name), row);
  }
  let ticks = 0;
  for (const [one, row] of rows) if (descends(one, pid, rows)) ticks += row.ticks;
  return ticks * US_PER_TICK;
}

function descends(one: number, from: number, rows: ReadonlyMap<number, ProcessRow>): boolean {
  for (let pid: number | undefined = one; pid !== undefined && pid > 1; pid = rows.get(pid)?.parent)
    if (pid === from) return true;
  return false;
}

function rowOf(name: string): ProcessRow | undefined {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'latin1');
    // After the name, which may contain anything: state, parent, … (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [own, kernel, children, childrenKernel] = fields.slice(11, 15).map(Number);
    return { parent: Number(fields[1]), ticks: own! + kernel! + children! + childrenKernel! };
  } catch {
    // It has ended since it was listed.
    return undefined;
  }
}

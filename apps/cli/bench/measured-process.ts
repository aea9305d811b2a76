/** A process whose time, processor time and largest memory are known at its end: Linux, by /proc. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOOK_EVERY_MS = 50;
/** Of /proc/PID/stat. */
const TICKS_A_SECOND = 100;

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const FROM_SOURCE = [
  '--conditions=@sealwire/source',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(root, 'infra/scripts/swc-loader.mjs'),
];

export interface Usage {
  /** Resident, at its largest. */
  readonly peakMiB: number;
  readonly processorSeconds: number;
}

export interface Measured extends Usage {
  readonly seconds: number;
  readonly stdout: string;
}

export function usageOf(pid: number): Usage {
  const [, peak = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    peakMiB: Number(peak) / 1_024,
    processorSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
  };
}

/** Runs a program to its end. Throws what it said when it fails. */
export async function measured(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Measured> {
  const begin = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  let usage: Usage = { peakMiB: 0, processorSeconds: 0 };
  const looking = setInterval(() => {
    usage = lastUsage(child, usage);
  }, LOOK_EVERY_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said.stderr}`);
  return { ...usage, seconds: (performance.now() - begin) / 1_000, stdout: said.stdout };
}

/** Between its end and our hearing of it there is nothing to be seen. */
function lastUsage({ pid }: ChildProcess, before: Usage): Usage {
  try {
    const usage = usageOf(pid as number);
    return usage.peakMiB > 0 ? usage : before;
  } catch {
    return before;
  }
}

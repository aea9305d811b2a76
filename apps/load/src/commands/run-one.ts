/** A run of one phase with one activity, whose settings are options of the command line. */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { LoadError } from '../errors.ts';
import { ACTIVITIES, type Activity, type ActivityName } from '../plan.ts';
import { performRun } from './perform-run.ts';
import type { RunOptions } from './run-options.ts';

/** What `--fail-if p99>…` is of. */
export const MAIN_MEASURES: Readonly<Record<ActivityName, string>> = {
  chat: 'deliver',
  group: 'deliver',
  connect: 'connect',
  storm: 'back',
  keys: 'bundle',
  files: 'file',
};

/** Those of `options` that the activity knows. Throws `LoadError`. */
export function activityOf(kind: ActivityName, options: object): Activity {
  const schema = ACTIVITIES[kind];
  const known = Object.keys(schema.shape);
  const own = Object.fromEntries(
    Object.entries(options)
      .filter(([name, value]) => known.includes(name) && value !== undefined)
      .map(([name, value]) => [name, name === 'think' ? `${value[0]}ms..${value[1]}ms` : durationText(name, value)]),
  );
  const parsed = schema.safeParse(own);
  if (parsed.success) return { kind, ...parsed.data } as Activity;
  throw new LoadError('usage', z.prettifyError(parsed.error).replace(/\s*\n\s*/g, ' '));
}

function durationText(name: string, value: unknown): unknown {
  return name === 'every' ? `${value}ms` : value;
}

export function runOne(
  context: Context,
  kind: ActivityName,
  url: string,
  options: RunOptions,
  command: string = kind,
): Promise<void> {
  const activity = activityOf(kind, options);
  const phases = [{ name: command, durationMs: options.duration, activities: [activity] }];
  return performRun(context, url, { command, phases, main: MAIN_MEASURES[kind], options });
}

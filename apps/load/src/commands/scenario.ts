/** `sealwire-load scenario`: phases and mixes from a file. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { LoadError } from '../errors.ts';
import { parseThreshold } from '../measuring/thresholds.ts';
import { type Phase, Scenario } from '../plan.ts';
import { performRun } from './perform-run.ts';
import { MAIN_MEASURES } from './run-one.ts';
import { type RunOptions, withRunOptions } from './run-options.ts';

export function scenarioCommand(context: Context): Command {
  const command = new Command('scenario')
    .description('phases of several activities, from a YAML file')
    .argument('<file>', 'the scenario');
  return withRunOptions(command, context.surroundings).action((file: string, url: string, options: RunOptions) => {
    const { phases, failIf } = readScenario(file);
    const kinds = phases.flatMap(({ activities }) => activities.map(({ kind }) => kind));
    const main = kinds.some((kind) => kind === 'chat' || kind === 'group') ? 'deliver' : MAIN_MEASURES[kinds[0]!];
    return performRun(context, url, {
      command: `scenario ${file}`,
      phases,
      main,
      options,
      failIf: failIf.map(parseThreshold),
    });
  });
}

/** Throws `LoadError` that names the place. */
function readScenario(file: string): { readonly phases: readonly Phase[]; readonly failIf: readonly string[] } {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    throw new LoadError('usage', `${file}: ${code === 'ENOENT' ? 'there is no such file' : message.split('\n')[0]}`, {
      cause,
    });
  }
  const scenario = Scenario.safeParse(content);
  if (!scenario.success)
    throw new LoadError('usage', `${file}: ${z.prettifyError(scenario.error).replace(/\s*\n\s*/g, ' ')}`);
  const phases = scenario.data.phases.map(({ name, duration, run }) => ({
    name,
    durationMs: duration,
    activities: run,
  }));
  return { phases, failIf: scenario.data.failIf };
}

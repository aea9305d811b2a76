/** A run from the address to the verdict: what every command that makes load does. */
import { writeFileSync } from 'node:fs';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { WellKnown } from '@sealwire/wire/http';
import type * as z from 'zod';
import { LoadError } from '../errors.ts';
import { IdentityFolder } from '../identities/identity-folder.ts';
import { provide } from '../identities/provide.ts';
import { Collector } from '../measuring/collector.ts';
import { growthOf, type MemorySample } from '../measuring/memory-trend.ts';
import { FORMAT, type Report } from '../measuring/report.ts';
import type { Threshold } from '../measuring/thresholds.ts';
import type { Phase } from '../plan.ts';
import type { Context } from '../program.ts';
import { conduct, type Played } from '../running/conductor.ts';
import { watchMemory } from '../running/memory-watch.ts';
import { needOf } from '../running/shares.ts';
import { errorText } from '../showing/error-text.ts';
import { htmlOf } from '../showing/html.ts';
import { Panel } from '../showing/panel.ts';
import { tableOf } from '../showing/table.ts';
import { RUN_BYTES } from '../traffic/payload.ts';
import { invitationsIn, originIn, type RunOptions } from './run-options.ts';

const MOST_LOOP_DELAY_MS = 20;
const MOST_LATE_MS = 10;
/** Of a core; beyond it the next message waits for this one. */
const MOST_CORES = 0.9;

export interface RunTerms {
  readonly command: string;
  readonly phases: readonly Phase[];
  /** What a threshold without a measure is of. */
  readonly main: string;
  readonly options: Omit<RunOptions, 'duration'>;
  /** On top of those of the options. */
  readonly failIf?: readonly Threshold[];
}

/** Rejects with a `LoadError`; how it ended otherwise, the context is told. */
export async function performRun(context: Context, url: string, terms: RunTerms): Promise<void> {
  const { surroundings, end } = context;
  const { runtime, now, stdout, stderr, interrupted, cores, version } = surroundings;
  const { options, phases, command } = terms;
  const server = originIn(url);
  const wellKnown = await wellKnownOf(server, surroundings);
  const relay = new URL(wellKnown.relay, server.replace(/^http/, 'ws')).href;
  const warnings: string[] = [];
  const panel = new Panel({ stream: stderr, title: `${command} ${server}`, now });
  const warn = (text: string) => {
    if (warnings.includes(text)) return;
    warnings.push(text);
    panel.note(`warning: ${text}`);
  };
  const startedAt = new Date(now()).toISOString();
  const collector = new Collector();
  const provided = await provide(needOf(phases), {
    server,
    runtime,
    now,
    folder: new IdentityFolder(options.identities, server),
    invitations: invitationsIn(options.invitationFile),
    note: (text) => panel.note(text),
    made: (ms) => collector.time('register', ms),
  });
  const began = now();
  const memory: MemorySample[] = [];
  const ending = new AbortController();
  const watching = watchMemory(
    options.metrics,
    surroundings,
    (bytes) => memory.push({ at: (now() - began) / 1_000, bytes }),
    warn,
    ending.signal,
  );
  const workers = Math.min(options.workers, mostWorkers(phases));
  const stopPanel = panel.watch(collector);
  let played: Played;
  try {
    played = await conduct({
      ...options,
      server,
      relay,
      phases,
      provided,
      workers,
      openHand: (say) => surroundings.openHand(workers > 1, say),
      collector,
      run: encodeBase64url(runtime.random(RUN_BYTES)),
      sources: options.from,
      patienceMs: options.patience,
      now,
      signal: interrupted,
      warn,
      told: (phase, state) => panel.phase(phase, state),
    });
  } finally {
    stopPanel();
    ending.abort();
    await watching;
  }
  const { verdict, strain } = played;
  const late99Ms = collector.summary('late')?.p99 ?? 0;
  const isBottleneck =
    strain.loopDelay99Ms > MOST_LOOP_DELAY_MS || late99Ms > MOST_LATE_MS || strain.cores > MOST_CORES;
  if (isBottleneck)
    warn(
      `the generator is the bottleneck: late by ${late99Ms.toFixed(1)} ms, event loop busy for ${strain.loopDelay99Ms.toFixed(1)} ms (99th percentiles), ${strain.cores.toFixed(2)} cores of a worker; ${workers < cores ? 'more --workers' : 'fewer connections or messages, or a machine of its own'}`,
    );
  adviseOn(collector.counts, warn);
  const seconds = played.phases.reduce((sum, { from, to }) => sum + to - from, 0);
  const counts = { ...collector.counts, ...verdict.offences };
  const times = collector.figures();
  const measured = { times, counts, seconds, memoryGrowth: growthOf(memory), main: terms.main };
  const thresholds = [...options.failIf, ...(terms.failIf ?? [])].map((threshold) => {
    const value = threshold.valueIn(measured);
    return { text: threshold.text, value: value ?? null, isMissed: threshold.isMissedBy(value) };
  });
  const report: Report = {
    format: FORMAT,
    version,
    startedAt,
    server: { origin: server, version: wellKnown.version },
    command: `sealwire-load ${surroundings.argv.join(' ')}`,
    settings: { phases, workers, seed: options.seed, connectRate: options.connectRate, sources: options.from.length },
    seconds,
    phases: [...played.phases],
    counts,
    times: Object.fromEntries(
      Object.entries(times).map(([name, figures]) => [
        name,
        { ...figures, curve: figures.curve.map(([a, b]) => [a, b] as [number, number]) },
      ]),
    ),
    rows: collector
      .rows()
      .map((row) => ({ ...row, counts: { ...row.counts }, times: { ...row.times }, levels: { ...row.levels } })),
    oracle: { offences: { ...verdict.offences }, examples: [...verdict.examples] },
    generator: { workers, ...strain, late99Ms, isBottleneck },
    memory,
    warnings,
    thresholds,
    ending: Object.values(verdict.offences).some((count) => count > 0)
      ? 'promise'
      : thresholds.some(({ isMissed }) => isMissed)
        ? 'threshold'
        : interrupted.aborted
          ? 'interrupted'
          : 'ok',
  };
  if (options.out !== undefined) write('--out', options.out, `${JSON.stringify(report)}\n`);
  if (options.html !== undefined) write('--html', options.html, htmlOf(report));
  stdout.write(options.json ? `${JSON.stringify(report)}\n` : tableOf(report));
  end(report.ending);
}

function write(option: string, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LoadError('failure', `${option}: ${path} cannot be written (${code})`, { cause });
  }
}

async function wellKnownOf(
  server: string,
  { runtime }: Pick<Context['surroundings'], 'runtime'>,
): Promise<z.output<typeof WellKnown>> {
  let reason: string;
  try {
    const response = await runtime.fetch(`${server}/.well-known/sealwire`, { signal: AbortSignal.timeout(10_000) });
    const parsed = response.ok ? WellKnown.safeParse(await response.json()) : undefined;
    if (parsed?.success) return parsed.data;
    reason = `status ${response.status}`;
  } catch (error) {
    reason = errorText(error);
  }
  throw new LoadError(
    'failure',
    `${server} does not answer as a Sealwire server (${reason}): is it running, and the address right?`,
  );
}

/** A conversation is not divided: more workers than there are of them would have nothing to do. */
function mostWorkers(phases: readonly Phase[]): number {
  const parts = phases.flatMap(({ activities }) =>
    activities.map((activity) => {
      if (activity.kind === 'chat') return activity.pairs;
      if (activity.kind === 'group') return activity.groups;
      return activity.devices;
    }),
  );
  return Math.max(1, ...parts);
}

/** What a server's limits do to a load is said with the setting that has them. */
function adviseOn(counts: Readonly<Record<string, number>>, warn: (text: string) => void): void {
  const limited = counts['refused too-many-requests'];
  if (limited)
    warn(
      `the server's limits refused ${limited} messages (a message a second from one account to another after 60): start it with MESSAGES_PER_PAIR=0 and MESSAGES_PER_RECIPIENT=0 for the time of the test, or take more --pairs`,
    );
  if (counts.withoutOneTimeKey)
    warn(
      `${counts.withoutOneTimeKey} bundles came without one-time key: BUNDLES_PER_PAIR=0 and BUNDLES_PER_TARGET=0 for the time of the test, or more --devices`,
    );
}

/** A run from the address to the verdict: what every command that makes load does. */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { Context } from '../context.ts';
import { LoadError } from '../errors.ts';
import { IdentityFolder } from '../identities/identity-folder.ts';
import { provide } from '../identities/provide.ts';
import { assemble } from '../measuring/assemble.ts';
import { Collector } from '../measuring/collector.ts';
import type { MemorySample } from '../measuring/memory-trend.ts';
import type { Threshold } from '../measuring/thresholds.ts';
import type { Phase } from '../plan.ts';
import { conduct, type Played } from '../running/conductor.ts';
import { wellKnownOf } from '../running/deployment.ts';
import { watchMemory } from '../running/memory-watch.ts';
import { mostWorkers, needOf } from '../running/shares.ts';
import { htmlOf } from '../showing/html.ts';
import { Panel } from '../showing/panel.ts';
import { tableOf } from '../showing/table.ts';
import { RUN_BYTES } from '../traffic/payload.ts';
import { invitationsIn, originIn, type RunOptions } from './run-options.ts';
import { write } from './write.ts';

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
  const { across } = surroundings;
  if (across) refuseSdk(phases);
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
    warn,
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
  const workers = Math.min(options.workers, mostWorkers(phases, across?.divided));
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
      openHand: (say, index) => surroundings.openHand(workers > 1, say, index),
      across,
      collector,
      newRun: () => encodeBase64url(runtime.random(RUN_BYTES)),
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
  const agents = (await across?.agents(workers)) ?? [];
  const report = assemble(played, {
    server,
    serverVersion: wellKnown.version,
    version,
    startedAt,
    phases,
    workers,
    agents,
    collector,
    memory,
    warnings,
    options,
    argv: surroundings.argv,
    failIf: [...options.failIf, ...(terms.failIf ?? [])],
    main: terms.main,
    isInterrupted: interrupted.aborted,
    coresFree: workers < cores,
    warn,
  });
  if (options.out !== undefined) write('--out', options.out, `${JSON.stringify(report)}\n`);
  if (options.html !== undefined) write('--html', options.html, htmlOf(report));
  stdout.write(options.json ? `${JSON.stringify(report)}\n` : tableOf(report));
  end(report.ending);
}

function refuseSdk(phases: readonly Phase[]): void {
  if (
    phases.some(({ activities }) => activities.some((activity) => 'crypto' in activity && activity.crypto === 'full'))
  )
    throw new LoadError(
      'usage',
      '--crypto full has its keys in files of one machine: run it there without a controller, or take --crypto cached',
    );
}

/** A comparison from the first server that is started to the report. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededNumbers } from '@sealwire/light/seeded-numbers';
import { LoadError } from '../errors.ts';
import { Absent, type Running, type Starting, type Target } from '../peers/target.ts';
import type { Surroundings } from '../surroundings.ts';
import { RUN_BYTES } from '../traffic/payload.ts';
import { COMPARISON_FORMAT, type ComparisonReport } from './report.ts';
import { playRounds } from './rounds.ts';
import { peopleOf, type Shape } from './shapes.ts';
import { type StageTerms, stageOf } from './stage.ts';

/** Of the times at which messages are due. */
const SEED = 1;
/** Sockets that are opened a second. */
const CONNECT_RATE = 2_000;

export interface ComparisonTerms {
  /** Ours first. */
  readonly targets: readonly Target[];
  readonly reference: string;
  readonly shapes: readonly Shape[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly size: number;
  readonly patienceMs: number;
  readonly starting: Omit<Starting, 'folder'>;
  readonly surroundings: Surroundings;
  /** For people, a line each. */
  readonly note: (text: string) => void;
  /** Those that the report has, too. */
  readonly warnings: readonly string[];
  readonly warn: (text: string) => void;
}

interface Started {
  readonly target: Target;
  readonly running: Running;
}

/** Peers that are not here are told and left out. Rejects with a `LoadError`; nothing that was started stays. */
export async function runComparison(terms: ComparisonTerms): Promise<ComparisonReport> {
  const { targets, surroundings, shapes, note, warn } = terms;
  const { now, version, argv, interrupted, cores } = surroundings;
  const startedAt = new Date(now()).toISOString();
  const [loadBefore = 0] = loadavg();
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-compare-'));
  const started: Started[] = [];
  const absent: ComparisonReport['absent'] = [];
  try {
    for (const target of targets) {
      try {
        const own = mkdtempSync(join(folder, `${target.name}-`));
        started.push({ target, running: await target.start({ ...terms.starting, folder: own }) });
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        absent.push({ name: target.name, why: error.message });
        warn(`${target.name} is left out, ${error.message}`);
      }
    }
    const reference = referenceAmong(started, terms);
    for (const { target, running } of started)
      if (running.pids.length === 0)
        warn(`no processes of ${target.name} are known, so neither its CPU nor its memory: name them by --server-pid`);
    const idle = shapes.reduce((sum, shape) => sum + (shape.kind === 'idle' ? shape.connections : 0), 0);
    for (const { running } of started)
      await running.provide(Math.max(0, ...shapes.map(peopleOf)), idle * (terms.rounds + 1));
    const reports: ComparisonReport['shapes'] = [];
    for (const shape of shapes) {
      if (interrupted.aborted) break;
      note(`${shape.name}: ${shape.about}`);
      const stageTerms = stageTermsOf(terms);
      const contestants = started.map(({ target, running }) => ({
        name: target.name,
        stage: stageOf(shape, running, stageTerms),
      }));
      const told = (round: number) => note(round === 0 ? '  warms up' : `  round ${round} of ${terms.rounds}`);
      reports.push(await playRounds(contestants, { ...terms, shape, reference, signal: interrupted, told }));
    }
    const [loadAfter = 0] = loadavg();
    if (loadBefore > cores)
      warn(
        `the machine was busy before it began (load ${loadBefore.toFixed(1)} on ${cores} cores): servers that wait for it write less at a time and stay cold, so their CPU a message is higher, too; run it again on a quiet one`,
      );
    return {
      format: COMPARISON_FORMAT,
      version,
      startedAt,
      command: `sealwire-load ${argv.join(' ')}`,
      machine: {
        processor: cpus()[0]?.model ?? 'unknown',
        cores,
        node: process.versions.node,
        loadBefore,
        loadAfter,
      },
      rounds: terms.rounds,
      roundMs: terms.roundMs,
      size: terms.size,
      reference,
      servers: started.map(({ target, running }) => ({
        name: target.name,
        version: running.version,
        ...target.promise,
      })),
      absent,
      shapes: reports,
      warnings: [...terms.warnings],
      ending: hasBroken(reports, targets[0]!.name) ? 'promise' : interrupted.aborted ? 'interrupted' : 'ok',
    };
  } finally {
    for (const { running } of started) await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The one that was named, or the first peer that is here. */
function referenceAmong(started: readonly Started[], { reference, targets, warn }: ComparisonTerms): string {
  const names = started.map(({ target }) => target.name);
  if (names.includes(reference)) return reference;
  const [first] = names.filter((name) => name !== targets[0]!.name);
  if (first === undefined)
    throw new LoadError('failure', 'there is no peer to compare with: install one of them, or take --peers ws');
  warn(`${reference} is not here: ratios are to ${first}`);
  return first;
}

function stageTermsOf({ surroundings, size, patienceMs, warn }: ComparisonTerms): StageTerms {
  const { runtime, now, interrupted } = surroundings;
  return {
    size,
    signal: interrupted,
    scene: {
      // Each target has its own.
      server: '',
      relay: '',
      runtime,
      run: runtime.random(RUN_BYTES),
      random: seededNumbers(SEED),
      now,
      connectRate: CONNECT_RATE,
      patienceMs,
      warn,
    },
  };
}

/** A peer that breaks promises is in the table; that ours does is how the run ends. */
function hasBroken(shapes: ComparisonReport['shapes'], ours: string): boolean {
  return shapes.some(({ rows }) =>
    rows.some(({ server, offences }) => server === ours && Object.values(offences).some((count) => count > 0)),
  );
}

/** Plays a plan with several workers: everybody is connected before a phase begins, and it ends when nothing is under way. */
import type { Provided } from '../identities/provide.ts';
import { Collector } from '../measuring/collector.ts';
import { isComplete, judgeAcross, type Records } from '../oracle/across.ts';
import { together, type Verdict } from '../oracle/oracle.ts';
import type { Phase } from '../plan.ts';
import type { Hand, Part, Saying, Share, Strain } from './share.ts';
import { partsOf } from './shares.ts';

/** For the last worker to hear of it: on this machine, and on any. */
const START_AFTER_MS = 50;
const START_ACROSS_AFTER_MS = 1_000;
/** Between two looks for what is under way from one worker to another. */
const LOOK_EVERY_MS = 100;

export interface ConductorTerms {
  readonly server: string;
  readonly relay: string;
  readonly phases: readonly Phase[];
  readonly provided: Omit<Provided, 'made'>;
  readonly workers: number;
  /** Worker `index`; `say` hears what it says. */
  readonly openHand: (say: (saying: Saying) => void, index: number) => Hand;
  /** Workers are on several machines; `divided`: and so are the members of a conversation. */
  readonly across: { readonly divided: boolean } | undefined;
  readonly collector: Collector;
  readonly seed: number;
  /** A new `Share.run`. */
  readonly newRun: () => string;
  /** Of all workers together. */
  readonly connectRate: number;
  /** Addresses of this machine that sockets come from in turn; none: the system chooses. */
  readonly sources: readonly string[];
  readonly patienceMs: number;
  /** ms since 1970, and never backwards. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
  /** A phase is prepared, begins, or is over. */
  readonly told: (phase: string, state: 'connects' | 'begins' | 'over') => void;
}

export interface Played {
  readonly verdict: Verdict;
  /** Seconds from the beginning of the run. */
  readonly phases: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly strain: Strain;
}

/** Rejects with a `LoadError`; the workers are ended in any case. */
export async function conduct(terms: ConductorTerms): Promise<Played> {
  const { phases, workers, openHand, collector, now, signal, warn, told } = terms;
  const began = now();
  const secondsSince = () => (now() - began) / 1_000;
  const hands = Array.from({ length: workers }, (_, worker) =>
    openHand((saying) => {
      if (saying.say === 'warning') warn(saying.text);
      else collector.take(worker, Math.floor(secondsSince()), saying.tick);
    }, worker),
  );
  const stop = () => {
    for (const hand of hands) hand.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  const verdicts: Verdict[] = [];
  const spans: { name: string; from: number; to: number }[] = [];
  const strains: Strain[] = [];
  try {
    for (const [index, phase] of phases.entries()) {
      if (signal.aborted) break;
      const parts = partsOf(phase, terms.provided, workers, terms.across?.divided);
      told(phase.name, 'connects');
      const run = terms.newRun();
      await all(
        hands.map((hand, worker) => hand.prepare(shareOf(terms, run, parts[worker]!, worker + workers * index))),
      );
      const from = now() + (terms.across ? START_ACROSS_AFTER_MS : START_AFTER_MS);
      told(phase.name, 'begins');
      const span = { name: phase.name, from: secondsSince(), to: 0 };
      const plays = hands.map((hand) => hand.play(from, from + phase.durationMs));
      // One that fails ends the others: what they would measure is of another load.
      for (const play of plays) play.catch(stop);
      strains.push(...(await all(plays)));
      if (terms.across?.divided) verdicts.push(judgeAcross(await recordsOf(hands, terms)));
      span.to = secondsSince();
      spans.push(span);
      verdicts.push(...(await all(hands.map((hand) => hand.finish()))));
      told(phase.name, 'over');
    }
  } finally {
    signal.removeEventListener('abort', stop);
    for (const hand of hands) hand.end();
  }
  const most = (of: (strain: Strain) => number) => Math.max(0, ...strains.map(of));
  return {
    verdict: together(verdicts),
    phases: spans,
    strain: { loopDelay99Ms: most(({ loopDelay99Ms }) => loopDelay99Ms), cores: most(({ cores }) => cores) },
  };
}

function shareOf(terms: ConductorTerms, run: string, parts: readonly Part[], turn: number): Share {
  const { server, relay, seed, connectRate, workers, sources, patienceMs } = terms;
  return {
    server,
    relay,
    run,
    parts,
    seed: seed + turn,
    connectRate: connectRate / workers,
    sources,
    patienceMs,
    clockOffsetMs: 0,
  };
}

/** When nothing is under way any more, or the patience is over. */
async function recordsOf(
  hands: readonly Hand[],
  { patienceMs, now }: Pick<ConductorTerms, 'patienceMs' | 'now'>,
): Promise<Records[]> {
  const end = now() + patienceMs;
  for (;;) {
    const records = await all(hands.map((hand) => hand.records()));
    if (isComplete(records) || now() >= end) return records;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** As `Promise.all`, but waits for the others when one fails: nobody is left working. */
async function all<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return settled.map((each) => (each as PromiseFulfilledResult<Result>).value);
}

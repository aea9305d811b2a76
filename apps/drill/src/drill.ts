/** One drill: people settle, write, and go on writing while faults are made one after the other; then what is there is judged. */
import { setTimeout as pause } from 'node:timers/promises';
import { nodeRuntime } from '@sealwire/client/node/runtime';
import { isLimit } from '@sealwire/light/limits';
import { seededNumbers } from '@sealwire/light/seeded-numbers';
import type { Deployment } from './cluster/deployment.ts';
import { Link } from './cluster/link.ts';
import type { Fault, Scene } from './faults/fault.ts';
import type { History } from './history/history.ts';
import { CALM_MS, SLOW_MS } from './judging/recovery.ts';
import { UnderWay } from './judging/under-way.ts';
import type { Options } from './options.ts';
import { readManifests } from './traffic/manifest-reader.ts';
import { recordedRuntime } from './traffic/recorded-runtime.ts';
import { Society } from './traffic/society.ts';
import { Storm } from './traffic/storm.ts';

const OVER_WITHIN_MS = 120_000;
const LOOK_MS = 100;
const SLOW_PEOPLE = 2;
const LIMITED =
  'the deployment allows no more accounts from here for now: fewer --people and --sockets, or ACCOUNTS_PER_ADDRESS raised for the time';

export interface DrillTerms {
  readonly options: Options;
  readonly deployment: Deployment;
  /** In the order in which they are made. */
  readonly faults: readonly Fault[];
  readonly history: History;
  readonly now: () => number;
  /** Goes before the names of all accounts. */
  readonly prefix: string;
  /** One line, for who watches. */
  readonly say: (line: string) => void;
  /** Ends it early, and in order. */
  readonly signal: AbortSignal;
}

/** Resolves when the history is complete; the deployment runs still. */
export async function drill(terms: DrillTerms): Promise<void> {
  const { options, deployment, faults, history, now, prefix, say, signal } = terms;
  const { record } = history;
  const underWay = new UnderWay();
  const accounts = new Set<string>();
  history.watch((event) => {
    underWay.take(event);
    if (event.event === 'manifest-accepted' || event.event === 'manifest-read') accounts.add(event.account);
  });
  const { minutes, people, rate, sockets, seed, delayMs } = options;
  const { regions } = deployment;
  record({
    event: 'begin',
    settings: {
      ...{ minutes, people, rate, ...(regions ? { regions: regions.length, delayMs } : { sockets }), seed },
      faults: faults.map(({ name }) => name),
    },
  });
  await deployment.start();
  say('the servers are ready');

  const slowLink = deployment.isOurs && !regions ? await Link.to(Number(new URL(deployment.origin).port)) : undefined;
  const society = new Society({
    server: deployment.origin,
    record,
    now,
    invitation: options.invitation,
    signal,
    people,
    slowPeople: slowLink ? SLOW_PEOPLE : 0,
    slowPort: slowLink?.port,
    regions,
    rate,
    prefix,
    random: seededNumbers(seed),
  });
  const storm = new Storm();
  const scene = { deployment, society, storm, slowLink, record };
  try {
    try {
      await society.settle();
      if (faults.some(({ name }) => name === 'reconnect-storm'))
        await storm.prepare(
          deployment.origin,
          prefix,
          sockets,
          recordedRuntime(nodeRuntime(), { record, now }),
          options.invitation,
        );
      await society.begin();
    } catch (error) {
      throw isLimit(error) ? new Error(LIMITED, { cause: error }) : error;
    }
    say(`${society.people.length} devices write to each other`);
    await until(() => isCalm(society, underWay, now));
    await makeFaults(faults, scene, { minutes, underWay, now, say, signal });
    await society.quiet();
    if (!(await until(() => underWay.oldest() === undefined))) say('some messages have not arrived');
    // What was delivered last is still being decrypted.
    await pause(CALM_MS);
    await readManifests(deployment.origin, accounts, record);
    record({ event: 'end' });
  } finally {
    storm.end();
    try {
      if (!deployment.isOurs) {
        const remain = [...(await storm.leave()), ...(await society.leave())];
        for (const account of remain) say(`an account is not deleted: ${account}`);
      }
    } finally {
      await society.close();
      await slowLink?.close();
    }
  }
}

interface Pace {
  readonly minutes: number;
  readonly underWay: UnderWay;
  readonly now: () => number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Each of them once, and again until the time is over. */
async function makeFaults(faults: readonly Fault[], scene: Omit<Scene, 'turn'>, pace: Pace): Promise<void> {
  const { record, society } = scene;
  const { minutes, underWay, now, say, signal } = pace;
  const end = now() + minutes * 60_000;
  for (let turn = 0; turn === 0 || now() < end; turn++)
    for (const fault of faults) {
      if (signal.aborted || (turn > 0 && now() >= end)) return;
      const region = fault.region?.(scene.deployment, turn);
      record({ event: 'fault', fault: fault.name, phase: 'begins', ...(region !== undefined && { region }) });
      try {
        await makeFault(fault, { ...scene, turn });
      } catch (error) {
        // A server that does not start again, say. Whoever is without it is judged by what is there now.
        const detail = error instanceof Error ? error.message : String(error);
        record({ event: 'fault', fault: fault.name, phase: 'not-recovered', detail });
        say(`${fault.name}: ${detail}`);
        return;
      }
      record({ event: 'fault', fault: fault.name, phase: 'lifted' });
      const lifted = now();
      const over = await until(() => isCalm(society, underWay, now));
      record({ event: 'fault', fault: fault.name, phase: over ? 'over' : 'not-recovered' });
      const took = ((now() - lifted) / 1_000).toFixed(1);
      say(over ? `${fault.name}: calm ${took} s after it` : `${fault.name}: not over after ${took} s`);
    }
}

async function makeFault(fault: Fault, scene: Scene): Promise<void> {
  try {
    await fault.strike(scene);
    await pause(fault.holdMs);
  } finally {
    await fault.lift(scene);
  }
}

function isCalm(society: Society, underWay: UnderWay, now: () => number): boolean {
  const oldest = underWay.oldest();
  return society.people.every(({ online }) => online) && (oldest === undefined || now() - oldest < SLOW_MS);
}

/** True when `isSo` has held for `CALM_MS`; false when it takes too long. */
async function until(isSo: () => boolean): Promise<boolean> {
  const deadline = performance.now() + OVER_WITHIN_MS;
  let since: number | undefined;
  while (performance.now() < deadline) {
    since = isSo() ? (since ?? performance.now()) : undefined;
    if (since !== undefined && performance.now() - since >= CALM_MS) return true;
    await pause(LOOK_MS);
  }
  return false;
}

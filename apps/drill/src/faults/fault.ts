/** What a fault is, and what it may use. */
import type { Deployment } from '../cluster/deployment.ts';
import type { Link } from '../cluster/link.ts';
import type { Record } from '../history/history.ts';
import type { Society } from '../traffic/society.ts';
import type { Storm } from '../traffic/storm.ts';

export interface Scene {
  readonly deployment: Deployment;
  readonly society: Society;
  readonly storm: Storm;
  /** Between the slow people and the servers; where the deployment is ours. */
  readonly slowLink: Link | undefined;
  readonly record: Record;
  /** How often this fault was made before: whose turn it is, where there are several. */
  readonly turn: number;
}

export interface Fault {
  readonly name: string;
  /** One sentence, for the list. */
  readonly about: string;
  /** Where it can be made: it has what it harms. */
  possible(deployment: Deployment): boolean;
  /** Between `strike` and `lift`, ms. */
  readonly holdMs: number;
  /** The name of the region that it harms; not there: none more than the others. */
  region?(deployment: Deployment, turn: number): string | undefined;
  strike(scene: Scene): Promise<void>;
  lift(scene: Scene): Promise<void>;
}

/** Whose turn it is. */
export function turnOf<Some>(among: readonly Some[], turn: number): Some {
  return among[turn % among.length]!;
}

/** Those that `deployment` has something for; `names`, if any, and in that order. Throws an `Error` that names the fix. */
export function faultsFor(faults: readonly Fault[], deployment: Deployment, names: readonly string[]): Fault[] {
  const possible = faults.filter((fault) => fault.possible(deployment));
  const named = names.length > 0 ? names : (deployment.faults ?? possible.map(({ name }) => name));
  return named.map((name) => {
    const fault = possible.find((one) => one.name === name);
    if (!fault)
      throw new Error(`--faults: no "${name}" here; there are: ${possible.map((one) => one.name).join(', ')}`);
    return fault;
  });
}

/** The faults, in the order in which a drill makes them. */
import type { Deployment } from '../cluster/deployment.ts';
import { CLIENT_FAULTS } from './clients.ts';
import { ENGINE_FAULTS } from './engines.ts';
import type { Fault } from './fault.ts';
import { SERVER_FAULTS } from './servers.ts';

export const FAULTS: readonly Fault[] = [...SERVER_FAULTS, ...ENGINE_FAULTS, ...CLIENT_FAULTS];

/** Those that `deployment` has something for; `names`, if any, and in that order. Throws an `Error` that names the fix. */
export function faultsFor(deployment: Deployment, names: readonly string[]): Fault[] {
  const possible = FAULTS.filter((fault) => fault.possible(deployment));
  if (names.length === 0) return possible;
  return names.map((name) => {
    const fault = possible.find((one) => one.name === name);
    if (!fault) throw new Error(`no fault "${name}" here; there are: ${possible.map((one) => one.name).join(', ')}`);
    return fault;
  });
}

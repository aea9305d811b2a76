/** A store that tells when a call meets a record that cannot be read; the call fails with `corrupt` all the same. */
import { type Store, StoreError } from './port.ts';

export function reportingCorrupt(store: Store, report: () => void): Store {
  const aggregates = Object.entries(store).map(([name, value]) => [
    name,
    typeof value === 'function' ? value : reporting(value as object, report),
  ]);
  return Object.fromEntries(aggregates) as Store;
}

type Call = (...args: unknown[]) => Promise<unknown>;

function reporting(aggregate: object, report: () => void): object {
  const calls = Object.entries(aggregate as Record<string, Call>).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      const answer = call(...args);
      answer.catch((error: unknown) => {
        if (error instanceof StoreError && error.kind === 'corrupt') report();
      });
      return answer;
    },
  ]);
  return Object.fromEntries(calls) as object;
}

/** Requests at a rate, in the open model: what keys and files have in common. */
import { Refused } from '@sealwire/light/limits';
import { type Scene, waitFor } from './activity.ts';
import { play } from './schedule.ts';

export interface AskingTerms {
  readonly name: string;
  readonly rate: number;
  readonly from: number;
  readonly until: number;
  readonly signal: AbortSignal;
  readonly scene: Scene;
}

/** Each `ask` is timed from when it should have been made. Resolves when no answer is waited for any more. */
export async function askAtRate({ name, scene, ...pace }: AskingTerms, ask: () => Promise<void>): Promise<void> {
  const { tally, now, random, patienceMs, warn } = scene;
  let open = 0;
  await play({ ...pace, random, now }, (intended) => {
    open += 1;
    tally.count('asked');
    tally.time('late', now() - intended);
    ask().then(
      () => {
        open -= 1;
        tally.count('answered');
        tally.time(name, now() - intended);
      },
      (error: unknown) => {
        open -= 1;
        tally.count(error instanceof Refused && error.isLimit ? 'refused' : 'failed');
        warn(`${name}: ${(error as Error).message}`);
      },
    );
  });
  await waitFor(() => open === 0, patienceMs, now);
  if (open > 0) tally.count('unanswered', open);
}

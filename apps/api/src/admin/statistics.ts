/** Figures by day (docs/operations/administration.md): of the whole installation, never of an account. */
import { readDays } from '@sealwire/store/day-figures';
import type { Store } from '@sealwire/store/port';
import { z } from 'zod';
import { type AdminOperation, operation } from './operation.ts';

const LONGEST_DAYS = 400;

export interface StatisticsDeps {
  readonly store: Pick<Store, 'operatorRecords'>;
  readonly now: () => number;
}

export function statisticsOperations({ store, now }: StatisticsDeps): readonly AdminOperation[] {
  return [
    operation('stats', {
      needs: 'viewer',
      body: z.strictObject({ days: z.int().min(1).max(LONGEST_DAYS) }),
      run: async ({ days }) => ({ days: await readDays(store, now(), days) }),
    }),
  ];
}

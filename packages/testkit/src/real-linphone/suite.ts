/** What each suite of this folder is given: it registers tests for one curve. */
import type { it } from '@jest/globals';
import type { World } from './world.ts';

export interface Suite {
  /** Open while tests run. */
  readonly world: () => World;
  /** `it`, or `it.skip` where there is no Linphone. */
  readonly it: typeof it | typeof it.skip;
}

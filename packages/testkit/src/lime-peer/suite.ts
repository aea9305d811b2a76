/** What each suite of this folder is given: it registers tests for one curve. */
import type { it } from '@jest/globals';
import type { CurveName } from '@sealwire/crypto/port';
import type { World } from './world.ts';

export interface Suite {
  readonly curve: CurveName;
  /** Open while tests run. */
  readonly world: () => World;
  /** `it`, or `it.skip` where there is no peer. */
  readonly it: typeof it | typeof it.skip;
}

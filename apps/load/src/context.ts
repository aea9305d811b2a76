/** What every command is given. */
import type { Ending } from './errors.ts';
import type { Surroundings } from './surroundings.ts';

export interface Context {
  readonly surroundings: Surroundings;
  /** How the process ends when nothing is thrown. */
  end(ending: Ending): void;
}

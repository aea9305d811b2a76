/** What every command is given. */
import type { Ending } from './errors.ts';
import type { Surroundings } from './surroundings.ts';

export interface Context {
  readonly surroundings: Surroundings;
  /** Runs another command line, and answers as `run` of program.ts. */
  readonly run: (surroundings: Surroundings) => Promise<number>;
  /** How the process ends when nothing is thrown. */
  end(ending: Ending): void;
}

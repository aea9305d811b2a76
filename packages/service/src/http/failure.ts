/**
 * What becomes of an error that ended a request: the problem to answer with, and a line in the log and a count for one that no code
 * expected (case H16). Whatever answers 500 comes through here: "it has been noted" must be true. What a store or a bus refused is a
 * line, too: it is nothing that a caller did.
 */
import type { Log, LogFields } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { type Problem, problemOf } from './problem.ts';

export interface FailureNotes {
  readonly log: Pick<Log, 'error' | 'warn'>;
  readonly metrics: Pick<Metrics, 'unhandledErrors'>;
}

/** `where`: the label of the counter. `fields`: more for the log's line. */
export function failureProblem(
  error: unknown,
  { log, metrics }: FailureNotes,
  where: 'http' | 'upgrade' | 'admin-socket',
  fields: Omit<LogFields, 'error'> = {},
): Problem {
  const problem = problemOf(error);
  if (problem.code === 'unavailable' && problem.cause !== undefined)
    log.warn('request-refused', { ...fields, code: problem.code, error: problem.cause });
  if (problem.code !== 'internal') return problem;
  metrics.unhandledErrors.inc({ where });
  log.error(where === 'upgrade' ? 'upgrade-failed' : 'request-failed', { ...fields, error });
  return problem;
}

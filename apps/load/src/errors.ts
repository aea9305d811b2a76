/** How the process ends, as one table (docs/operations/load.md shows it; a test compares), and the errors that say so. */

export const EXIT_CODES = {
  ok: { code: 0, meaning: 'the run is over, every promise was kept and every threshold met' },
  failure: { code: 1, meaning: 'the load could not be made, or a file not be written; the line on stderr says why' },
  usage: { code: 2, meaning: 'a mistake in the command, a scenario or a file that it names' },
  promise: { code: 3, meaning: 'a message was lost, doubled, reordered, delivered to the wrong one or never accepted' },
  threshold: { code: 4, meaning: 'a threshold was missed (`--fail-if`, or worse by more than `report diff` allows)' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C; what was measured until then is reported' },
} as const;

export type Ending = keyof typeof EXIT_CODES;

/** Told to the user in one line, with the fix. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  constructor(
    readonly ending: Ending,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

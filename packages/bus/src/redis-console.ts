/**
 * The client library prints a line of its own where its user may not ask INFO. Whoever opens the bus is told the same as one
 * refusal with the fix (redis-connection.ts); the console is not for it.
 */

const OF_CLIENT = /^Skipping the ready check because INFO command fails/;

let isQuiet = false;

/** From now on that line is not printed; whatever else is printed goes on as it was. */
export function quietReadyCheck(): void {
  if (isQuiet) return;
  isQuiet = true;
  const print = console.warn;
  console.warn = (...said: unknown[]) => {
    if (!OF_CLIENT.test(String(said[0]))) print.apply(console, said);
  };
}

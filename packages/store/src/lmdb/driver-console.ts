/**
 * The driver says a failed commit twice: it rejects, and it prints the error to the console, in
 * several lines with a stack. Whoever called has the error and tells it in the log; the console is
 * not for it.
 */

/** The driver's own frames, and the number that LMDB gave. */
const OF_DRIVER = /[\\/]lmdb[\\/](?:write|dist[\\/].*)\.c?js/;

let isQuiet = false;

/** From now on the driver prints no error of LMDB; whatever else is printed goes on as it was. */
export function quietDriver(): void {
  if (isQuiet) return;
  isQuiet = true;
  const print = console.error;
  console.error = (...said: unknown[]) => {
    if (!isOfDriver(said[0])) print.apply(console, said);
  };
}

function isOfDriver(said: unknown): boolean {
  if (!(said instanceof Error) || !('code' in said)) return false;
  return typeof said.code === 'number' && OF_DRIVER.test(said.stack ?? '');
}

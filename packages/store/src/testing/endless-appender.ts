/** `endless-appender.ts FOLDER FIRST`: appends numbered messages until it is killed, and prints each number once it is accepted. */
import { openLmdbStore } from '../lmdb.ts';
import { LIMITS_FOR_ALL, numbered } from './messages.ts';

const [path = '', first = ''] = process.argv.slice(2);
const store = await openLmdbStore({ path });
let next = Number(first);

/** Several at once, so that commits hold the messages of several calls, and one is always on its way when the end comes. */
async function producer(): Promise<void> {
  for (;;) {
    const numbers = [next++, next++, next++];
    const results = await store.mailboxes.append(numbers.map(numbered), LIMITS_FOR_ALL);
    for (const [i, { status }] of results.entries()) process.stdout.write(`${numbers[i]} ${status}\n`);
  }
}

await Promise.all([producer(), producer(), producer(), producer()]);

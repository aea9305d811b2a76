/**
 * `competitor.ts FOLDER FIRST COUNT CLAIMS`: one of several processes on one folder. Appends messages FIRST to FIRST + COUNT - 1, tries
 * messages 0 to COUNT - 1, which the others try too, claims one-time keys, and prints what came of it. It reads all the time, so that it
 * learns what the others did while its own writes are on their way to the disk.
 */
import { openLmdbStore } from '../lmdb.ts';
import { DEVICES, LIMITS_FOR_ALL, numbered, numbersIn } from './messages.ts';

const [path = '', ...numbers] = process.argv.slice(2);
const [first = 0, count = 0, claims = 0] = numbers.map(Number);
const store = await openLmdbStore({ path });
const [device] = DEVICES;
if (!device) throw new Error('no devices');

process.stdout.write('ready\n');
for (let i = 0; i < count; i += 5) {
  const all = [0, 1, 2, 3, 4].flatMap((j) => [first + i + j, i + j]);
  const appended = store.mailboxes.append(all.map(numbered), LIMITS_FOR_ALL);
  const [results] = await Promise.all([appended, claim(), readDuring(appended)]);
  for (const [j, result] of results.entries())
    process.stdout.write(
      `message ${all[j]} ${result.status} ${result.status === 'accepted' ? result.seqs.join() : ''}\n`,
    );
}
await store.close();

/** Each message is under the number that it had before. */
async function readDuring(work: Promise<unknown>): Promise<void> {
  if (!device) return;
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  for (let before: number[] = []; !isOver; await new Promise((resolve) => setImmediate(resolve))) {
    const found = await numbersIn(store, device);
    if (before.some((number, i) => found[i] !== number)) throw new Error('what was read has changed');
    before = found;
  }
}

async function claim(): Promise<void> {
  if (!device) return;
  for (let i = 0; i < (claims * 5) / count; i++) {
    const [bundle] = await store.prekeys.claim('c25519', [{ device, takeOneTime: true }]);
    process.stdout.write(`key ${bundle?.oneTimePrekey?.id ?? 'none'}\n`);
  }
}

/** `until-full.ts FOLDER`: appends until the disk is full, prints the numbers that were accepted, the error, and whether reading goes on. */
import { openLmdbStore } from '../lmdb.ts';
import { StoreError } from '../port.ts';
import { DEVICES, LIMITS_FOR_ALL, numbered, numbersIn, populate } from './messages.ts';

const [path = ''] = process.argv.slice(2);
const store = await openLmdbStore({ path });
await populate(store);
let accepted = 0;
for (let failures = 0; failures < 2; ) {
  try {
    await store.mailboxes.append(
      Array.from({ length: 20 }, (_, i) => numbered(accepted + i)),
      LIMITS_FOR_ALL,
    );
    accepted += 20;
  } catch (error) {
    failures++;
    const known = error instanceof StoreError ? error : undefined;
    process.stdout.write(
      `error ${known?.kind} ${known?.message.includes('\n') ? 'of several lines' : 'of one line'}\n`,
    );
  }
}
for (const device of DEVICES) process.stdout.write(`held ${accepted} ${(await numbersIn(store, device)).length}\n`);
await store.close();

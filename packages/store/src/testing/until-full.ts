/**
 * `until-full.ts FOLDER`: appends until the disk is full; prints the errors, what the store reported, whether a probe goes well, and of
 * each mailbox what was accepted and what is there.
 */
import { openLmdbStore } from '../lmdb.ts';
import { StoreError, StoreFullError } from '../port.ts';
import { DEVICES, LIMITS_FOR_ALL, numbered, numbersIn, populate } from './messages.ts';

const [path = ''] = process.argv.slice(2);
const reports = {
  isNew() {},
  damaged() {},
  full: (folder: string, free: number) => void process.stdout.write(`full ${folder === path} ${free > 0}\n`),
  hasSpace: () => void process.stdout.write('has space\n'),
};
const store = await openLmdbStore({ path, reports });
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
const probed = await store.probe().then(
  () => 'well',
  (error: unknown) => (error instanceof StoreFullError ? error.reason : error),
);
process.stdout.write(`probe ${probed}\n`);
for (const device of DEVICES) process.stdout.write(`held ${accepted} ${(await numbersIn(store, device)).length}\n`);
await store.close();

/**
 * `folder-contender.ts FOLDER ROUNDS`: tries to own the folder so often, and prints `won` and
 * `lost` with how often; and `both` when somebody was in the folder while it owned it. ROUNDS 0:
 * owns it until it is killed, and prints `owns`.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ownFolder } from '../lmdb/folder-owner.ts';
import { StoreError } from '../port.ts';

const [folder = '', rounds = ''] = process.argv.slice(2);
const mark = join(folder, 'mark');
let [won, lost] = [0, 0];

if (rounds === '0') {
  await ownFolder(folder);
  process.stdout.write('owns\n');
  // The socket keeps no process alive.
  setInterval(() => {}, 60_000);
}
for (let round = 0; round < Number(rounds); round++) {
  const owner = await ownFolder(folder).catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    return undefined;
  });
  if (!owner) lost++;
  else {
    won++;
    try {
      closeSync(openSync(mark, 'wx'));
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      rmSync(mark);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' && (error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw error;
      process.stdout.write('both\n');
    }
    owner.release();
  }
}
if (rounds !== '0') process.stdout.write(`won ${won}\nlost ${lost}\n`);

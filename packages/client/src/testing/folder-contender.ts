/**
 * `folder-contender.ts FOLDER ROUNDS`: tries to lock the folder so often, and prints with how many successes; and `both` when somebody
 * was in the folder while it had the lock.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ClientError } from '../errors.ts';
import { type FolderLock, lockFolder } from '../node/folder-lock.ts';

const [folder = '', rounds = ''] = process.argv.slice(2);
const mark = join(folder, 'mark');
let won = 0;

for (let round = 0; round < Number(rounds); round++) {
  let lock: FolderLock;
  try {
    lock = lockFolder(folder);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'locked')) throw error;
    await nextTurn();
    continue;
  }
  won++;
  try {
    closeSync(openSync(mark, 'wx'));
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    rmSync(mark);
  } catch (error) {
    if (!['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code!)) throw error;
    process.stdout.write('both\n');
  }
  lock.release();
}
process.stdout.write(`won ${won}\n`);

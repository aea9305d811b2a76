/**
 * `npm start -- verify` and `npm start -- repair`, on the data folder of a server that is stopped: what
 * is there in one line on stderr, each fault in one line on stdout.
 */
import { openOrExplain } from '@sealwire/service/boot';
import { repairLmdbStore, type Verdict, verifyLmdbStore } from '@sealwire/store/repair';
import { storeIn } from './data-folder.ts';
import { type FolderTask, folderCommand } from './folder-command.ts';

/** Resolves with the exit code: 0, 1 when something is (still) damaged, 2 for a mistake. */
export function lookAfter(command: 'verify' | 'repair', argv: readonly string[]): Promise<number> {
  return folderCommand(command, argv, [], async (task) => {
    const path = storeIn(task.dataFolder);
    const verdict = await openOrExplain('DATA_DIR', async () => {
      if (command === 'verify') return verifyLmdbStore(path);
      const { before, after } = await repairLmdbStore(path);
      task.say(`${before.faults.length} faults before it, ${after.faults.length} after it`);
      return after;
    });
    return tellVerdict(verdict, task);
  });
}

/** The exit code: 0, or 1 when something is damaged. */
export function tellVerdict({ counts, faults }: Verdict, { say, print }: FolderTask): 0 | 1 {
  for (const fault of faults) print(fault);
  const named = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  const summary = named.length === 0 ? 'not read' : named.join(', ');
  say(`${summary}: ${faults.length === 0 ? 'nothing is damaged' : `${faults.length} faults`}`);
  return faults.length === 0 ? 0 : 1;
}

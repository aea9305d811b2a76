/**
 * `npm start -- verify` and `npm start -- repair`, on the data folder of a server that is stopped: what
 * is there in one line on stderr, each fault in one line on stdout.
 */
import { openOrExplain } from '@sealwire/service/boot';
import { ConfigError, loadConfig, processSources } from '@sealwire/service/config';
import { repairLmdbStore, type Verdict, verifyLmdbStore } from '@sealwire/store/repair';
import { storeIn } from './data-folder.ts';
import { soloSettings } from './settings.ts';

/** Resolves with the exit code: 0, 1 when something is (still) damaged, 2 for a mistake. */
export async function lookAfter(command: 'verify' | 'repair', argv: readonly string[]): Promise<number> {
  const err = (text: string) => process.stderr.write(`${command}: ${text}\n`);
  try {
    const loaded = loadConfig(soloSettings.pick({ DATA_DIR: true }), { ...processSources(), argv });
    if (loaded.action === 'show') {
      process.stdout.write(loaded.text);
      return 0;
    }
    const path = storeIn(loaded.settings.DATA_DIR);
    const verdict = await openOrExplain('DATA_DIR', async () => {
      if (command === 'verify') return verifyLmdbStore(path);
      const { before, after } = await repairLmdbStore(path);
      err(`${before.faults.length} faults before it, ${after.faults.length} after it`);
      return after;
    });
    for (const fault of verdict.faults) process.stdout.write(`${fault}\n`);
    err(
      `${summaryOf(verdict)}: ${verdict.faults.length === 0 ? 'nothing is damaged' : `${verdict.faults.length} faults`}`,
    );
    return verdict.faults.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    err(error.message);
    return error.exitCode;
  }
}

function summaryOf({ counts }: Verdict): string {
  const named = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return named.length === 0 ? 'not read' : named.join(', ');
}

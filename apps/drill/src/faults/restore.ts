/** The store is gone, and a backup that was made in the middle of the traffic takes its place (docs/operations/backup.md). */
import type { Fault } from './fault.ts';

/** What is lost is written in it. */
const TRAFFIC_MS = 5_000;

export const RESTORE: Fault = {
  name: 'restore',
  about:
    'a backup under traffic; then a new account, a new device and 5 s in which some are offline; kill -9 of every server, and the backup is restored',
  holdMs: TRAFFIC_MS,
  possible: ({ backups }) => backups !== undefined,
  async strike({ deployment, society, slowLink, record, turn }) {
    await society.hold();
    record({ event: 'backup' });
    await deployment.backups!.make();
    slowLink?.cut();
    await society.addDevice();
    await society.visit(`late-${turn}`);
  },
  async lift({ deployment, society, slowLink, record }) {
    await deployment.backups!.putBack();
    record({ event: 'restored' });
    slowLink?.mend();
    await deployment.backups!.start();
    await society.registerAgain();
    society.release();
  },
};

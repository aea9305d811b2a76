/** `sealwire-server backup FOLDER`: docs/operations/backup.md. */
import { runBackupCommand } from './run.ts';

// Whatever it writes is for its user only.
process.umask(0o077);
await runBackupCommand('backup');

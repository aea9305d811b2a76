/** `sealwire-server restore FOLDER`: docs/operations/backup.md. */
import { processSources } from '@sealwire/service/config';
import { processOutput } from '../output.ts';
import { runBackupCommand } from './run.ts';

// Whatever it writes is for its user only.
process.umask(0o077);
process.exitCode = await runBackupCommand('restore', processSources(), Date.now, processOutput);

/** What `backup`, `verify` and `restore` are told: where the store is, where its files are, and what becomes of these. */
import { BLOBS_SETTINGS } from '@sealwire/api/settings';
import { setting } from '@sealwire/service/config';
import { SERVER_SETTINGS } from '@sealwire/service/settings';
import { z } from 'zod';

export const backupSettings = z.object({
  STORE_URL: SERVER_SETTINGS.STORE_URL,
  ...BLOBS_SETTINGS,
  FILES: setting(z.enum(['copy', 'list']).optional(), {
    about:
      'What a backup does with encrypted files: `copy` them, or `list` them and look whether each is there, where their place has backups of its own. Not set: `copy` from a folder, `list` from an S3 server.',
    example: 'copy',
  }),
});

export type BackupSettings = z.output<typeof backupSettings>;

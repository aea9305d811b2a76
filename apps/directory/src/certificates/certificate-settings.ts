/** Where the certificates of accounts are. */
import { setting } from '@sealwire/service/config';
import { z } from 'zod';

export const CERTIFICATE_SETTINGS = {
  ACCOUNT_CERTS_FILE: setting(z.string().min(1).optional(), {
    about:
      'Certificates of accounts, one a line, as `sealwire-server certify` writes them ([accounts by certificate](certificates.md)); they are handed out with lists of devices. Read again when the file changes. Not set: there are none.',
    example: '/etc/sealwire/certificates.txt',
  }),
} as const;

/** For tests and measurements: a directory of example.org that refuses nobody for asking often. */
import type { DirectorySettings } from '../settings.ts';

export const UNLIMITED: DirectorySettings = {
  DOMAIN: 'example.org',
  PUBLIC_ORIGIN: 'https://chat.example.org',
  TRUSTED_PROXIES: [],
  DIGEST_REALM: undefined,
  DIGEST_MD5: 'off',
  WRONG_PASSWORDS_PER_ADDRESS: 0,
  WRONG_PASSWORDS_PER_ACCOUNT: 0,
  BUNDLES_PER_PAIR: 0,
  BUNDLES_PER_TARGET: 0,
  BUNDLES_PER_REQUESTER: 0,
  KEY_UPLOADS_PER_DEVICE: 0,
  MANIFEST_READS_PER_ADDRESS: 0,
  MANIFEST_WRITES_PER_ADDRESS: 0,
};

/** For tests and measurements: a directory of example.org that refuses nobody for asking often. */
import type { DirectorySettings } from '../settings.ts';

export const UNLIMITED: DirectorySettings = {
  DOMAIN: 'example.org',
  TRUSTED_PROXIES: [],
  BUNDLES_PER_PAIR: 0,
  BUNDLES_PER_TARGET: 0,
  BUNDLES_PER_REQUESTER: 0,
  KEY_UPLOADS_PER_DEVICE: 0,
  MANIFEST_READS_PER_ADDRESS: 0,
  MANIFEST_WRITES_PER_ADDRESS: 0,
};
